#pragma once
// What becomes of containers' logs once their logging programs run: counts for /metrics, and what a program could not
// send within its container's end. That waits in the spool, and programs are started to send it until it is sent, also
// when the container is gone. Any thread; blocks shortly.
//
//   <data>/containers/<id>/log         the spool while there is the container
//   <data>/unsent/<id>/log             afterwards, if something is left
//   .../log.json                       the configuration, as set_up_logs() keeps it
//   .../log-status.json                what the program tells

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "runtime/containerd/log_counts.hpp"
#include "runtime/containerd/options.hpp"

namespace nodeagent::runtime::containerd {

class Loggers {
  public:
    explicit Loggers(const Options& options);
    ~Loggers();  ///< tells the programs it started to end; what they had not sent stays
    Loggers(const Loggers&) = delete;
    Loggers& operator=(const Loggers&) = delete;

    /// Before a container starts: its own logger takes what an earlier run left, so nobody else may be at it.
    void make_way(const std::string& id);
    /// Before the folder of a removed container goes. What is unsent in it is moved to where it waits.
    Result<void> retire(const std::string& id, const std::string& folder);
    /// Every few seconds: counts, starts programs that send what is left, gives up what is too old or too much.
    LogFigures tend(WallTime now);

  private:
    using Steady = std::chrono::steady_clock;
    struct Sending {
        pid_t pid = 0;  ///< 0: none is at it
        std::uint32_t attempts = 0;
        bool over = false;  ///< nothing is left to send; goes when its program has ended
        Steady::time_point next{};
    };
    struct Unsent {
        std::string id;
        std::string folder;
        std::uint64_t bytes = 0;
        WallTime newest;  ///< when something was last written
        bool container_gone = false;
    };

    /// Counts, and what is left of the containers below `parent`.
    void look(const std::string& parent, bool container_gone, LogFigures& now, std::vector<Unsent>& unsent);
    void forget(const std::string& id);
    void reap();
    [[nodiscard]] std::string config_of(const std::string& id) const;
    void give_up_old(std::vector<Unsent>& unsent, WallTime now);
    Result<pid_t> begin_sending(const Unsent& log) const;
    void send(const std::vector<Unsent>& unsent);

    const Options& options_;
    const std::string kept_;
    const std::string sending_folder_;  ///< configurations of the programs at work; on tmpfs
    std::mutex mutex_;
    LogCounts counts_;
    std::map<std::string, Sending> sending_;
};

}  // namespace nodeagent::runtime::containerd
