#pragma once
// A place in which one cell after the other runs: network and mount namespace, runtime, registry and image of its own,
// because the agent's ports are fixed and a killed daemon takes all its containers along.

#include <sys/types.h>

#include <memory>
#include <string>

#include "tests/integration/crash_matrix/fault.hpp"
#include "tests/integration/crash_matrix/runtime_daemon.hpp"

namespace nodeagent::crash_matrix {

class Lane {
  public:
    /// In a process of its own, first of a PID namespace (lane_processes.hpp): it leaves the caller's other namespaces
    /// too, and a killed daemon's children come to it. `directory` exists and is empty. `cgroup`: the name of its own.
    /// Throws std::runtime_error with the cause.
    Lane(std::string directory, Runtime runtime, const std::string& cgroup);
    ~Lane();  ///< stops the daemons, unmounts what is left
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    [[nodiscard]] const std::string& directory() const { return directory_; }
    /// Of an image with busybox in it, in the lane's registry.
    [[nodiscard]] const std::string& image() const { return image_; }
    [[nodiscard]] RuntimeDaemon& daemon() const { return *daemon_; }
    [[nodiscard]] Runtime runtime() const { return runtime_; }

  private:
    void start_registry();

    std::string directory_;
    Runtime runtime_;
    std::string image_;
    pid_t registry_ = -1;
    std::unique_ptr<RuntimeDaemon> daemon_;
};

}  // namespace nodeagent::crash_matrix
