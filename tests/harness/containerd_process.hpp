#pragma once
// A containerd of a test's own: socket, state and content in its folder; no CRI. Stopped by its process id.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "runtime/containerd/module.hpp"

namespace nodeagent::test {

class ContainerdProcess {
  public:
    /// `folder` must be on a disk that overlayfs can have as its upper layer, and short enough for a socket's path.
    explicit ContainerdProcess(std::string folder) : folder_(std::move(folder)) {
        std::ofstream(folder_ + "/config.toml")
            << "version = 2\nroot = '" << folder_ << "/root'\nstate = '" << folder_ << "/state'\n"
            << "disabled_plugins = ['io.containerd.grpc.v1.cri']\n[grpc]\n  address = '" << socket() << "'\n";
        start();
    }
    ~ContainerdProcess() { stop(); }
    ContainerdProcess(const ContainerdProcess&) = delete;
    ContainerdProcess& operator=(const ContainerdProcess&) = delete;

    [[nodiscard]] std::string socket() const { return folder_ + "/c.sock"; }
    [[nodiscard]] const std::string& folder() const { return folder_; }

    void start() {
        std::string program = "containerd", flag = "--config", config = folder_ + "/config.toml";
        char* arguments[] = {program.data(), flag.data(), config.data(), nullptr};
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        for (const int output : {1, 2}) {
            ::posix_spawn_file_actions_addopen(&files, output, (folder_ + "/log").c_str(),
                                               O_WRONLY | O_CREAT | O_APPEND, 0600);
        }
        const int failed = ::posix_spawnp(&process_, program.c_str(), &files, nullptr, arguments, environ);
        ::posix_spawn_file_actions_destroy(&files);
        if (failed != 0) throw std::runtime_error("containerd does not start: apt-get install containerd");
        const auto client = connect("check");
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!client->version(std::chrono::seconds(1))) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error("containerd does not answer: see " + folder_ + "/log");
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
    void stop(int signal = SIGTERM) {
        if (process_ <= 0) return;
        ::kill(process_, signal);
        ::waitpid(process_, nullptr, 0);
        process_ = -1;
    }
    [[nodiscard]] std::shared_ptr<runtime::containerd::Client> connect(const std::string& name_space) const {
        auto client = runtime::containerd::load_client({NODEAGENT_CONTAINERD_MODULE}, socket(), name_space);
        if (!client) throw std::runtime_error(client.error().what);
        return *client;
    }

  private:
    std::string folder_;
    pid_t process_ = -1;
};

}  // namespace nodeagent::test
