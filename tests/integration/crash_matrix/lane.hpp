#pragma once
// A place in which one cell after the other runs: network and mount namespace, Docker daemon, registry and image of its
// own, because the agent's ports are fixed and a killed daemon takes all its containers along.

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nodeagent::crash_matrix {

class Lane {
  public:
    /// In a process of its own, first of a PID namespace (lane_processes.hpp): it leaves the caller's other namespaces
    /// too, and a killed daemon's children come to it. `directory` exists and is empty.
    /// Throws std::runtime_error with the cause.
    explicit Lane(std::string directory);
    ~Lane();  ///< stops the daemons, unmounts what is left
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    [[nodiscard]] const std::string& directory() const { return directory_; }
    [[nodiscard]] std::string docker_socket() const { return directory_ + "/docker.sock"; }
    /// Of an image with busybox in it, in the lane's registry.
    [[nodiscard]] const std::string& image() const { return image_; }

    /// SIGKILL; returns when it is gone.
    void kill_docker();
    /// Returns when it answers.
    void start_docker();

    /// One call to the Docker API; throws on failure.
    [[nodiscard]] nlohmann::json docker(const std::string& method, const std::string& target) const;
    /// The daemon's events since `since` (seconds of its clock) until now.
    [[nodiscard]] std::vector<nlohmann::json> events(double since) const;

  private:
    void start_registry();
    void push_image();

    std::string directory_;
    std::string image_;
    pid_t dockerd_ = -1;
    pid_t registry_ = -1;
};

/// Runs a program with its output going to `log`; its process id.
pid_t launch(const std::vector<std::string>& arguments, const std::string& log);
/// Runs a shell line and waits; throws with its last output when it fails.
void shell(const std::string& line, const std::string& log);

}  // namespace nodeagent::crash_matrix
