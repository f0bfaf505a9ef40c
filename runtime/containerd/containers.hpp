#pragma once
// What the verbs of a container do to containerd and this host: the blocking half of the backend. Any thread, but one
// at a time for each container (ContainerdBackend's locks). Everything is safe to repeat after it broke off anywhere.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/containerd/client.hpp"
#include "runtime/containerd/health.hpp"
#include "runtime/containerd/images/image_store.hpp"
#include "runtime/containerd/loggers.hpp"
#include "runtime/containerd/mounts.hpp"
#include "runtime/containerd/network/links.hpp"
#include "runtime/containerd/network/networks.hpp"
#include "runtime/containerd/oci/spec.hpp"
#include "runtime/containerd/options.hpp"
#include "runtime/containerd/record.hpp"
#include "runtime/containerd/volumes.hpp"

namespace nodeagent::runtime::containerd {

/// A container that runs, as its probes need it.
struct Running {
    std::string id;
    WallTime started_at;
    std::optional<HealthCheck> health_check;
    std::string process;  ///< OCI process document that an exec of it starts from
};

class Containers {
  public:
    Containers(std::shared_ptr<Client> client, const Options& options, ImageStore& images, Volumes& volumes,
               Loggers& loggers);

    /// The id of the container with that id or name; NotFound in Docker's words.
    Result<std::string> id_of(const std::string& id_or_name);
    /// An existing container of that name and these labels is it; Conflict when the labels are others.
    Result<std::string> create(const ContainerSpec& spec);
    /// `made` is called when the process is there and waits to be started: whoever waits for its end must not miss it.
    Result<Running> start(const std::string& id, std::chrono::nanoseconds deadline, const std::function<void()>& made);
    /// Whether it ran and was signalled; what has ended, or is absent, is no error.
    Result<bool> signal(const std::string& id, int signal, bool all);
    /// The signal that stops it: of the task definition, else of the image, else SIGTERM.
    Result<int> stop_signal(const std::string& id);
    /// Writes down how an ended container ended; one that runs, was never started or is noted already is left.
    Result<void> note_end(const std::string& id, bool out_of_memory);
    /// Frees what an ended container's process had: shim, network. Up to a minute. Leaves one that was started again
    /// meanwhile, and says so.
    Result<std::optional<Running>> take_down(const std::string& id);
    /// Conflict while it runs; an absent one is fine.
    Result<void> remove(const std::string& id);

    struct Inspected {
        ContainerView view;        ///< without health
        bool end_unnoted = false;  ///< how it ended has still to be noted before the view is whole
        bool health_checked = false;
    };
    Result<Inspected> inspect(const std::string& id_or_name);
    Result<std::vector<ContainerView>> list(const std::string& label);

    /// After a start of the agent or of the daemon: what runs, and what has ended without anybody noting it. Takes what
    /// no container owns any more off the host.
    struct Found {
        std::vector<Running> running;
        std::vector<std::string> ended;
    };
    Result<Found> take_stock();

    /// Conflict while a container has it.
    Result<void> remove_volume(const std::string& name);
    Result<void> begin_exec(const NewExec& exec);
    /// Folder for fifos of a container that runs; on tmpfs.
    [[nodiscard]] std::string run_folder(const std::string& id) const;

  private:
    Result<Container> own(const std::string& id);
    Result<std::optional<Process>> told_task_of(const std::string& id);
    Result<std::optional<Process>> task_of(const std::string& id);
    Result<void> set_life(const std::string& id, const Life& life);
    // create (container_making.cpp)
    /// `anonymous_volumes`: those made for it so far, also when it fails.
    Result<void> make(const ContainerSpec& spec, const std::string& id, const StoredImage& image,
                      std::vector<std::string>& anonymous_volumes);
    Result<void> record(const ContainerSpec& spec, const std::string& id, const StoredImage& image,
                        const std::vector<SnapshotMount>& root, const PlannedMounts& planned, Creation& creation);
    Result<nlohmann::json> document_of(const std::string& id, const Creation& creation, const ImageConfig& image,
                                       const oci::User& user, const std::vector<oci::MountPlan>& mounts);
    void add_etc_mounts(std::vector<oci::MountPlan>& mounts, const std::string& owner) const;
    Result<std::string> namespace_of(const std::string& mode, const char* kind);
    // start (container_start.cpp)
    Result<void> clear(const Container& container, const std::optional<Process>& task);
    Result<void> begin(const Container& container, const Creation& creation, Life& life,
                       std::chrono::steady_clock::time_point until, const std::function<void()>& made);
    Result<void> refresh_document(const Container& container, const Creation& creation,
                                  const std::vector<LinkedContainer>& links);
    Result<std::vector<LinkedContainer>> links_of(const nlohmann::json& host_config);
    Result<std::string> network_owner(const std::string& id, const nlohmann::json& host_config);
    static std::string hostname_of(const std::string& id, const nlohmann::json& config,
                                   const nlohmann::json& host_config);
    [[nodiscard]] std::string shm_folder(const std::string& id) const;

    Result<void> unmake(const std::string& id, const Creation* creation);
    void remove_strays(const std::set<std::string>& ids);
    /// Whether nothing will ever use what is there under the id of a container.
    bool is_stray(const std::string& id);
    /// From before the first thing that is made for a container until its record is there.
    class BeingMade {
      public:
        BeingMade(Containers& containers, std::string id);
        ~BeingMade();
        BeingMade(const BeingMade&) = delete;
        BeingMade& operator=(const BeingMade&) = delete;

      private:
        Containers& containers_;
        std::string id_;
    };
    static std::optional<Running> running_of(const Container& container);
    Result<std::optional<std::string>> existing(const ContainerSpec& spec);
    [[nodiscard]] std::string data_folder(const std::string& id) const;

    std::shared_ptr<Client> client_;
    const Options& options_;
    ImageStore& images_;
    Volumes& volumes_;
    Loggers& loggers_;
    Networks networks_;
    std::mutex mutex_;
    std::set<std::string> being_made_;
};

}  // namespace nodeagent::runtime::containerd
