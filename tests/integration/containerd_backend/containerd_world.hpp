#pragma once
// The real containerd as a BackendWorld, reached through a relay that a test can cut. The image is made from
// busybox-static, no registry needed. NODEAGENT_TEST_CONTAINERD names the daemon's socket.

#include <sys/mount.h>

#include <cstdlib>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/backend.hpp"
#include "runtime/containerd/module.hpp"
#include "runtime/containerd/network/program.hpp"
#include "runtime/containerd/options.hpp"
#include "tests/contract/backend_world.hpp"
#include "tests/contract/relay.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/integration/containerd_backend/saved_image.hpp"

namespace nodeagent::runtime::containerd {

inline std::string containerd_socket() {
    const char* given = std::getenv("NODEAGENT_TEST_CONTAINERD");
    return given != nullptr ? given : "/run/containerd/containerd.sock";
}

class ContainerdWorld final : public BackendWorld {
  public:
    explicit ContainerdWorld(const std::string& socket = containerd_socket())
        : prefix_("nodeagent-test-" + uuid4().substr(0, 8) + "-") {
        // gRPC calls back while the test's thread waits for nothing but the loop, so the relay has one of its own
        relay_ = std::make_unique<Relay>(relay_io_, folder_ + "/relay.sock", socket);
        relay_thread_ = std::thread([this] {
            const auto work = asio::make_work_guard(relay_io_);
            relay_io_.run();
        });
        auto client = load_client({NODEAGENT_CONTAINERD_MODULE}, folder_ + "/relay.sock", name_space());
        if (!client) throw std::runtime_error(client.error().what);
        client_ = *client;
        options_.socket = socket;
        options_.data_dir = folder_ + "/data";
        options_.run_dir = folder_ + "/run";
        options_.logs.program = NODEAGENT_LOGGER;
        options_.network.folder = folder_ + "/network";
        options_.network.netns_folder = folder_ + "/netns";
        options_.network.bridge = "ecs" + prefix_.substr(15, 8);
        backend_ = make_backend(io.get_executor(), client_, options_);
        const auto loaded = run(backend_->load_image(saved_busybox(image())));
        if (!loaded) throw std::runtime_error("load the image: " + loaded.error().what);
    }
    ~ContainerdWorld() override {
        run(closed());
        (void)run(backend_->remove_image(image()));
        backend_.reset();
        // the agent keeps its bridge; a host has no subnets for those of many worlds
        (void)run_program({.path = find_program("ip"),
                           .arguments = {"link", "delete", options_.network.bridge},
                           .environment = {"PATH=/usr/sbin:/sbin"}});
        ::umount2((folder_ + "/netns").c_str(), MNT_DETACH);  // it is mounted on itself
        on_relay([this] { relay_->cut(); });
        relay_io_.stop();
        relay_thread_.join();
    }

    Backend& backend() override { return *backend_; }
    [[nodiscard]] Client& client() const { return *client_; }
    [[nodiscard]] const Options& options() const { return options_; }
    [[nodiscard]] std::string name_space() const { return prefix_ + "ns"; }
    [[nodiscard]] std::string folder() const { return folder_.path(); }
    [[nodiscard]] std::string image() const override { return prefix_ + "image:1"; }
    [[nodiscard]] std::string prefix() const override { return prefix_; }
    ContainerSpec spec(const std::string& name, Program program) override {
        const bool ends = program == Program::ExitsWithSeven;
        return shell(name, ends ? "exit 7" : "trap 'exit 0' TERM; while :; do sleep 0.05; done");
    }
    [[nodiscard]] ContainerSpec shell(const std::string& name, const std::string& script) const {
        ContainerSpec made;
        made.name = name;
        made.config["Image"] = image();
        made.config["Cmd"] = Json::array({"sh", "-c", script});
        made.config["Labels"][label()] = "1";
        made.host_config["NetworkMode"] = "bridge";
        made.host_config["Memory"] = 64 * 1024 * 1024;
        return made;
    }
    void go_away() override {
        on_relay([this] { relay_->cut(); });
    }
    void come_back() override {
        on_relay([this] { relay_->open(); });
    }
    /// As after a kill of the agent: nothing but what is on the host is known.
    void restart_agent() {
        run(closed());
        backend_ = make_backend(io.get_executor(), client_, options_);
        ++agents_;
    }
    [[nodiscard]] int agents() const { return agents_; }

  private:
    asio::awaitable<bool> closed() {
        co_await backend_->close();
        co_return true;
    }
    template <class F>
    void on_relay(F work) {
        std::promise<void> done;
        asio::post(relay_io_, [&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }

    std::string prefix_;
    fakes::TempDirectory folder_;
    asio::io_context relay_io_;
    std::unique_ptr<Relay> relay_;
    std::thread relay_thread_;
    std::shared_ptr<Client> client_;
    Options options_;
    int agents_ = 1;
    std::unique_ptr<ClosableBackend> backend_;
};

}  // namespace nodeagent::runtime::containerd
