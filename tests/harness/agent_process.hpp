#pragma once
// The agent under measurement, as a child process with a data directory of its own.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace nodeagent::harness {

class AgentProcess {
  public:
    /// `extra`: "NAME=value" entries that replace or join the usual environment.
    AgentProcess(std::string binary, std::string endpoint, std::string directory, std::string docker_host,
                 std::vector<std::string> extra = {});
    ~AgentProcess();  ///< SIGTERM, then waits
    /// Sends the signal (0: none) and waits for the end; the exit code, or 128 + signal number.
    int finish(int signal);
    AgentProcess(const AgentProcess&) = delete;
    AgentProcess& operator=(const AgentProcess&) = delete;

    [[nodiscard]] std::chrono::steady_clock::time_point executed_at() const { return executed_at_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    /// User and system time so far.
    [[nodiscard]] std::chrono::nanoseconds cpu_time() const;
    [[nodiscard]] double resident_mib() const;
    [[nodiscard]] double proportional_mib() const;

  private:
    pid_t pid_ = -1;
    std::chrono::steady_clock::time_point executed_at_;
};

}  // namespace nodeagent::harness
