#pragma once
// The shard's half of the backend: who may do what when. What a verb does to containerd, in threads that may block, is
// in Containers, ImageStore and Volumes.

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/scope.hpp"
#include "runtime/containerd/backend.hpp"
#include "runtime/containerd/containers.hpp"
#include "runtime/containerd/exits.hpp"
#include "runtime/containerd/health.hpp"
#include "runtime/containerd/images/image_store.hpp"
#include "runtime/containerd/keyed_lock.hpp"
#include "runtime/containerd/options.hpp"

namespace nodeagent::runtime::containerd {

class ContainerdBackend final : public ClosableBackend {
  public:
    ContainerdBackend(asio::any_io_executor shard, std::shared_ptr<Client> client, Options options);
    asio::awaitable<void> close() override;

    asio::awaitable<Result<Capabilities>> probe() override;
    asio::awaitable<Result<void>> ping(std::chrono::nanoseconds deadline) override;

    asio::awaitable<Result<ImageView>> inspect_image(std::string image) override;
    asio::awaitable<Result<std::string>> resolve_digest(std::string image, RegistryAuth auth,
                                                        std::chrono::nanoseconds deadline) override;
    asio::awaitable<Result<void>> pull(std::string reference, RegistryAuth auth, PullOptions options,
                                       std::function<void(const PullProgress&)> progress) override;
    asio::awaitable<Result<void>> tag(std::string source, std::string target) override;
    asio::awaitable<Result<void>> load_image(std::string archive) override;
    asio::awaitable<Result<void>> remove_image(std::string image) override;
    asio::awaitable<Result<std::vector<ImageView>>> list_images() override;

    asio::awaitable<Result<std::string>> create(ContainerSpec spec, std::chrono::nanoseconds deadline) override;
    asio::awaitable<Result<void>> start(std::string id, std::chrono::nanoseconds deadline) override;
    asio::awaitable<Result<void>> stop(std::string id, std::chrono::seconds grace) override;
    asio::awaitable<Result<void>> remove(std::string id) override;
    asio::awaitable<Result<ContainerView>> inspect(std::string id) override;
    asio::awaitable<Result<std::vector<ContainerView>>> list(std::string label) override;
    asio::awaitable<Error> watch(std::function<void()> connected, std::function<void(RuntimeEvent)> sink) override;

    [[nodiscard]] std::optional<LogFigures> log_figures() const override { return log_figures_; }

    asio::awaitable<Result<void>> create_volume(VolumeSpec spec) override;
    asio::awaitable<Result<VolumeSpec>> inspect_volume(std::string name) override;
    asio::awaitable<Result<void>> remove_volume(std::string name) override;

  private:
    /// Who waits for a process's end.
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& shard, std::chrono::nanoseconds limit) : timer(shard, limit) {}
        asio::steady_timer timer;
        std::optional<Result<Exit>> exit;
    };
    /// The probes of a running container.
    struct Probing {
        HealthCheck check;
        HealthState state;
        std::string process;  ///< OCI process document of an exec, without its command
        std::chrono::steady_clock::time_point started;
        asio::steady_timer pause;  ///< until the next probe; cancelled: enough
        bool enough = false;
    };

    asio::awaitable<Result<void>> prepare();
    asio::awaitable<Result<std::string>> id_of(std::string id_or_name);
    void heard(const Event& event);
    asio::awaitable<void> adopt(std::function<void()> connected);
    asio::awaitable<void> tend_logs();

    // ends (ends.cpp)
    void told(const Exits::Key& process, const Result<Exit>& exit);
    /// Nothing: it still ran after `limit`.
    asio::awaitable<std::optional<Result<Exit>>> end_within(std::string id, std::string exec,
                                                            std::chrono::nanoseconds limit);
    asio::awaitable<void> settle(std::string id);
    asio::awaitable<Result<void>> note_end(std::string id);

    // probes (probes.cpp)
    void begin_probing(const std::string& id, const Running& running);
    void end_probing(const std::string& id);
    asio::awaitable<void> keep_probing(std::string id, std::shared_ptr<Probing> probing);
    /// Nothing: containerd could not be asked, which says nothing of the container.
    asio::awaitable<std::optional<ProbeOutcome>> probe_once(std::string id, std::shared_ptr<Probing> probing);

    asio::any_io_executor shard_;
    std::shared_ptr<Client> client_;
    Options options_;
    BlockingPool calls_{16};  ///< what ends soon
    BlockingPool pulls_{64};  ///< what a registry may make last; as many as pulls may run at once
    BlockingPool watches_{2};
    ImageStore images_;
    Volumes volumes_;
    Loggers loggers_;
    Containers containers_;
    bool prepared_ = false;  ///< the namespace is there
    KeyedLock locks_;
    std::map<Exits::Key, std::list<std::shared_ptr<Waiter>>> waiters_;
    std::map<std::string, std::shared_ptr<Probing>> probing_;
    std::set<std::string> taking_down_;       ///< containers whose end is noted, while their tasks are taken down
    std::set<std::string> out_of_memory_;     ///< containers of which an OOM event came, until their end is noted
    std::function<void(RuntimeEvent)> sink_;  ///< of the watch that is on
    bool tending_logs_ = false;
    LogFigures log_figures_;
    Exits exits_;
    Scope scope_;  ///< last: its coroutines use everything above
};

}  // namespace nodeagent::runtime::containerd
