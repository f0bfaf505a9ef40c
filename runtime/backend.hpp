#pragma once
// The contract of a container runtime. tests/contract/backend_contract.cpp runs it against the fake and the real ones.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "runtime/types.hpp"

namespace nodeagent::runtime {

namespace asio = boost::asio;

/// A container runtime on this host. Calls run on the caller's shard and suspend instead of blocking. All are safe to
/// repeat after a lost reply: create() with a known name returns its id; start() of a running container, stop() of a
/// stopped one and remove() of an absent one succeed. `deadline` arguments are relative; passing one gives Timeout.
/// Error::what is the runtime's own text, unprefixed, because it is shown to ECS users behind an error name.
/// Errors: NotFound (no such container, image, volume), Conflict, Denied (registry), Timeout, Unavailable (daemon gone).
class Backend {
  public:
    virtual ~Backend() = default;

    /// Asks the daemon what it is. Unavailable while it is not there.
    virtual asio::awaitable<Result<Capabilities>> probe() = 0;
    virtual asio::awaitable<Result<void>> ping(std::chrono::nanoseconds deadline) = 0;

    /// The image as it is on this host; NotFound when absent.
    virtual asio::awaitable<Result<ImageView>> inspect_image(std::string image) = 0;
    /// Manifest digest from the registry ("sha256:..."), or "" for manifests without one (schema 1).
    virtual asio::awaitable<Result<std::string>> resolve_digest(std::string image, RegistryAuth auth, std::chrono::nanoseconds deadline) = 0;
    /// Pulls `reference` (name:tag or name@digest). `progress` is called on the shard, at most a few times a second.
    virtual asio::awaitable<Result<void>> pull(std::string reference, RegistryAuth auth, PullOptions options,
                                               std::function<void(const PullProgress&)> progress) = 0;
    /// Makes `target` name the image that `source` names.
    virtual asio::awaitable<Result<void>> tag(std::string source, std::string target) = 0;
    /// Takes in the images of an archive in the form of `docker save`; what is there already stays. For small images: the
    /// archive is in memory. Malformed when it is no such archive.
    virtual asio::awaitable<Result<void>> load_image(std::string archive) = 0;
    virtual asio::awaitable<Result<void>> remove_image(std::string image) = 0;
    virtual asio::awaitable<Result<std::vector<ImageView>>> list_images() = 0;

    virtual asio::awaitable<Result<std::string>> create(ContainerSpec spec, std::chrono::nanoseconds deadline) = 0;
    virtual asio::awaitable<Result<void>> start(std::string id, std::chrono::nanoseconds deadline) = 0;
    /// Stop signal, then SIGKILL after `grace`. Returns when the container has ended.
    virtual asio::awaitable<Result<void>> stop(std::string id, std::chrono::seconds grace) = 0;
    /// Removes a stopped container and its anonymous volumes.
    virtual asio::awaitable<Result<void>> remove(std::string id) = 0;
    /// By id or name.
    virtual asio::awaitable<Result<ContainerView>> inspect(std::string id) = 0;
    /// Everything that carries the label ("": every container of the host), running or not: the ground truth for
    /// reconciliation. Views may lack what only inspect() tells (exit code, ports, mounts); id, name, phase, image id and
    /// labels are always there.
    virtual asio::awaitable<Result<std::vector<ContainerView>>> list(std::string label) = 0;

    /// Delivers changes of all containers in order until the stream breaks, then says why; `connected` is called once the
    /// stream is established, so that a caller can list afterwards and miss nothing. The caller watches again.
    virtual asio::awaitable<Error> watch(std::function<void()> connected, std::function<void(RuntimeEvent)> sink) = 0;

    /// Of a runtime whose containers log through programs of ours; seconds old. On the shard.
    [[nodiscard]] virtual std::optional<LogFigures> log_figures() const { return std::nullopt; }

    virtual asio::awaitable<Result<void>> create_volume(VolumeSpec spec) = 0;
    virtual asio::awaitable<Result<VolumeSpec>> inspect_volume(std::string name) = 0;
    virtual asio::awaitable<Result<void>> remove_volume(std::string name) = 0;
};

}  // namespace nodeagent::runtime
