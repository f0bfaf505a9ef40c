#pragma once
// The containerd backend over FakeContainerd. Its containers are put into the daemon as if they had been created: a
// root of an image would want mounts.

#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "agent/base/json.hpp"
#include "runtime/containerd/backend.hpp"
#include "runtime/containerd/options.hpp"
#include "runtime/containerd/record.hpp"
#include "tests/contract/backend_world.hpp"
#include "tests/fakes/fake_containerd.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::fakes {

class FakeContainerdWorld final : public runtime::BackendWorld {
  public:
    FakeContainerdWorld() {
        options_.data_dir = folder_ + "/data";
        options_.run_dir = folder_ + "/run";
        options_.network.folder = folder_ + "/network";
        options_.network.netns_folder = folder_ + "/netns";
        backend_ = ctr::make_backend(io.get_executor(), daemon, options_);
    }
    ~FakeContainerdWorld() override {
        close();
        backend_.reset();
    }
    void close() { run(closed()); }

    runtime::Backend& backend() override { return *backend_; }
    [[nodiscard]] std::string image() const override { return "busybox:1"; }
    [[nodiscard]] std::string prefix() const override { return "fake-"; }
    runtime::ContainerSpec spec(const std::string& name, Program) override {
        runtime::ContainerSpec made;
        made.name = name;
        return made;
    }
    void go_away() override { daemon->go_away(); }
    void come_back() override { daemon->come_back(); }

    [[nodiscard]] const ctr::Options& options() const { return options_; }
    /// Its id.
    std::string put(const std::string& word, const std::string& network = "host",
                    std::optional<ctr::HealthCheck> health = std::nullopt) {
        ctr::Creation creation;
        creation.name = name(word);
        creation.image = image();
        creation.host_config = Json{{"NetworkMode", network}, {"LogConfig", {{"Type", "none"}}}};
        creation.health_check = std::move(health);
        ctr::Container container;
        container.id = FakeContainerd::digest_of(word).substr(7);
        container.labels = {{ctr::kNameLabel, creation.name}, {label(), "1"}};
        container.spec = R"({"process":{"args":["true"],"env":[],"cwd":"/","user":{"uid":0,"gid":0}},"linux":{}})";
        container.snapshotter = "overlayfs";
        container.snapshot_key = container.id;
        container.extensions.emplace(ctr::kCreationKey, ctr::encode(creation));
        (void)daemon->prepare_snapshot("overlayfs", container.id, {}, {}, {});
        (void)daemon->create_container(container);
        return container.id;
    }
    /// Runs the backend's shard until a call stands in the daemon, which a script blocks.
    void await_calls(const std::string& verb, const std::string& argument, int times) {
        run_until_polled([&] { return daemon->calls(verb, argument) >= times; });
    }
    /// As run_until() for what happens on other threads.
    void run_until_polled(const std::function<bool()>& reached) {
        const auto deadline = std::chrono::steady_clock::now() + runtime::kPatience;
        while (!reached()) {
            if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited in vain");
            io.restart();
            if (io.poll() == 0) std::this_thread::yield();
        }
    }

    std::shared_ptr<FakeContainerd> daemon = std::make_shared<FakeContainerd>();

  private:
    boost::asio::awaitable<bool> closed() {
        co_await backend_->close();
        co_return true;
    }
    TempDirectory folder_;
    ctr::Options options_;
    std::unique_ptr<ctr::ClosableBackend> backend_;
};

/// What a call came to that a test does not wait for.
template <class T>
struct Pending {
    std::optional<Result<T>> result;
};
template <class T>
std::shared_ptr<Pending<T>> begin(runtime::BackendWorld& world, boost::asio::awaitable<Result<T>> work) {
    auto pending = std::make_shared<Pending<T>>();
    boost::asio::co_spawn(world.io, std::move(work),
                          [pending](std::exception_ptr, Result<T> result) { pending->result = std::move(result); });
    return pending;
}

}  // namespace nodeagent::fakes
