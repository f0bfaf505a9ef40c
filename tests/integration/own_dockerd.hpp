#pragma once
// A Docker daemon that a test may stop, in a network namespace of its own: one without a bridge removes docker0, which
// is the other daemon's. Its containers have that namespace's network.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include "daemon_fixture.hpp"

namespace nodeagent::daemon_tests {

class OwnDockerd {
  public:
    explicit OwnDockerd(std::string directory, bool live_restore)
        : directory_(std::move(directory)), live_restore_(live_restore) {
        std::filesystem::create_directories(directory_);
        start();
        const std::string load = "docker -H unix://" + docker_socket() + " save busybox:latest | docker -H unix://" +
                                 socket() + " load >/dev/null";
        if (std::system(load.c_str()) != 0) throw std::runtime_error("busybox:latest cannot be copied");
    }
    ~OwnDockerd() {
        std::system(
            ("docker -H unix://" + socket() + " ps -aq | xargs -r docker -H unix://" + socket() + " rm -f >/dev/null")
                .c_str());
        stop();
        for (const char* mount : {"/exec/netns/default", "/data"}) {  // the latter with live-restore
            ::umount2((directory_ + mount).c_str(), MNT_DETACH);
        }
    }
    OwnDockerd(const OwnDockerd&) = delete;
    OwnDockerd& operator=(const OwnDockerd&) = delete;

    [[nodiscard]] std::string socket() const { return directory_ + "/docker.sock"; }
    void stop() {
        if (pid_ > 0) ::kill(pid_, SIGTERM);
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    void start() {
        pid_ = ::fork();
        if (pid_ == 0) {
            const int log = ::open((directory_ + "/dockerd.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            ::dup2(log, STDOUT_FILENO);
            ::dup2(log, STDERR_FILENO);
            if (::unshare(CLONE_NEWNET) != 0) ::_exit(126);
            const std::string host = "unix://" + socket(), data = directory_ + "/data", exec = directory_ + "/exec",
                              file = directory_ + "/docker.pid";
            ::execlp("dockerd", "dockerd", "--host", host.c_str(), "--data-root", data.c_str(), "--exec-root",
                     exec.c_str(), "--pidfile", file.c_str(), "--bridge=none", "--iptables=false",
                     live_restore_ ? "--live-restore=true" : "--live-restore=false", nullptr);
            ::_exit(127);
        }
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        while (!answers()) {
            const bool ended = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
            if (ended) pid_ = -1;
            if (ended || std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error("dockerd did not start: see " + directory_ + "/dockerd.log");
            std::this_thread::sleep_for(100ms);  // it tells nobody when it is ready
        }
    }

  private:
    [[nodiscard]] bool answers() const {
        try {
            DockerClient(socket()).call("GET", "/version");
            return true;
        } catch (const std::exception&) {
            return false;
        }
    }

    std::string directory_;
    bool live_restore_;
    pid_t pid_ = -1;
};

}  // namespace nodeagent::daemon_tests
