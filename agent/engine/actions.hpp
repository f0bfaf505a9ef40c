#pragma once
// Action -> runtime, cgroups, registry -> event. One coroutine per action; each with a result tells the task exactly
// one event for it (and PullBegan before a real pull), success or failure. Shared by all tasks.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/clock.hpp"
#include "agent/config/config.hpp"
#include "agent/core/actions.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/engine/live_task.hpp"
#include "agent/engine/resources/service_access.hpp"
#include "agent/engine/resources/vault.hpp"
#include "agent/engine/spec/host_ports.hpp"
#include "agent/engine/spec/metadata_document.hpp"
#include "agent/engine/spec/registry_auth.hpp"
#include "agent/engine/state_sink.hpp"
#include "cgroups/task_cgroup.hpp"
#include "runtime/backend.hpp"

namespace nodeagent::engine {

class HostQueue;
class ImageClaims;
class ImageLedger;
class ImagePuller;
class Observer;
class RuntimeLink;

/// Of what could not be removed with its task.
inline constexpr const char* kLeftOverRemedy =
    "containers are tried again every minute, a cgroup and files at the next start of the agent; remove a "
    "volume by hand";

/// What actions work with; everything outlives them.
struct ActionTools {
    Clock& clock;
    BlockingPool& pool;
    runtime::Backend& backend;
    RuntimeLink& link;
    Observer& observer;
    ImagePuller& puller;
    ImageLedger& images;
    ImageClaims& claims;
    HostQueue& host;
    cgroups::TaskCgroups* cgroups;  ///< nullptr: off
    credentials::Registry& credentials;
    RegistryAuthSource& registry_auth;
    StateSink& reports;
    const config::Config& config;
    std::vector<std::string> pause_programs;  ///< where ecs-pause may be
    Vault& vault;
    const ServiceAccess* services;  ///< nullptr: nothing can be fetched
    MachineIdentity machine;        ///< for metadata files
    /// A task ends, though not all of it could be removed from the host.
    std::function<void(const std::string& task_arn)> gave_up;
    PortProbe port_is_free = can_bind;
};

class Actions {
  public:
    explicit Actions(ActionTools tools) : tools_(std::move(tools)) {}

    /// Does what takes no waiting (reports, releases) and is then true; in the order of the calls.
    bool done_at_once(LiveTask& task, core::Action& action);
    /// Everything else but WakeAt, which is the runner's own.
    asio::awaitable<void> execute(LiveTask& task, core::Action action);

  private:
    asio::awaitable<void> run(LiveTask& task, core::AcquireHostResources);
    asio::awaitable<void> run(LiveTask& task, core::CreateResource action);
    asio::awaitable<void> run(LiveTask& task, core::ResolveManifest action);
    asio::awaitable<void> run(LiveTask& task, core::PullImage action);
    asio::awaitable<void> run(LiveTask& task, core::ProvideImage action);
    asio::awaitable<void> run(LiveTask& task, core::AssignPorts action);
    asio::awaitable<void> run(LiveTask& task, core::CreateContainer action);
    asio::awaitable<void> run(LiveTask& task, core::StartContainer action);
    asio::awaitable<void> run(LiveTask& task, core::StopContainer action);
    asio::awaitable<void> run(LiveTask& task, core::WriteMetadataFile action);
    asio::awaitable<void> run(LiveTask& task, core::InspectContainers);
    asio::awaitable<void> run(LiveTask& task, core::CleanUp);
    asio::awaitable<std::vector<std::string>> remove_all_of(core::TaskState state);

    asio::awaitable<core::ResourceSettled> create_cgroup(LiveTask& task, core::ResourceSettled settled);
    asio::awaitable<core::ResourceSettled> create_volume(LiveTask& task, core::ResourceState volume,
                                                         core::ResourceSettled settled);
    /// Inspects a container, however often the daemon goes away meanwhile.
    asio::awaitable<Result<runtime::ContainerView>> look(std::string id);
    asio::awaitable<Result<runtime::ImageView>> look_at_image(std::string image);
    /// Secrets, registry credentials and environment files (fetch_actions.cpp).
    asio::awaitable<core::ResourceSettled> fetch(LiveTask& task, core::ResourceState resource,
                                                 core::ResourceSettled settled);
    asio::awaitable<Result<void>> fetch_kind(LiveTask& task, core::ResourceState resource);
    asio::awaitable<Result<std::map<std::string, std::string>>> file_environment(LiveTask& task, std::string container);
    /// Writes what is known before the container is created; the directory for its mount, "" for none. What fails is
    /// logged: the container is created without.
    asio::awaitable<std::string> first_metadata_file(LiveTask& task, std::string container);
    void conceal(const LiveTask& task, std::optional<core::NamedError>& error) const;
    asio::awaitable<RegistryAuthResult> registry_auth(LiveTask& task, std::string container);
    /// Whether the policy wants the registry asked; when it does not, `cached` is the image on the host if any.
    asio::awaitable<bool> pull_needed(std::string image, std::optional<runtime::ImageView>& cached);

    ActionTools tools_;
    PortCursor ports_;
};

}  // namespace nodeagent::engine
