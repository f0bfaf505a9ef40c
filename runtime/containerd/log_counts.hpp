#pragma once
// Sums over logging programs that come and go: each tells its own counts from its own beginning.

#include <cstdint>
#include <map>
#include <string>

#include "runtime/logs/logger_status.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

class LogCounts {
  public:
    /// What the program of container `id` tells now. Only what is new since the last time is added.
    void note(const std::string& id, const logs::LoggerStatus& now);
    /// Nothing more comes of it; what was counted stays.
    void forget(const std::string& id) { last_.erase(id); }
    void abandon(std::uint64_t bytes) { totals_.abandoned_bytes += bytes; }
    /// The counters; what there is now is the caller's.
    [[nodiscard]] const LogFigures& totals() const { return totals_; }

  private:
    std::map<std::string, logs::LoggerStatus> last_;
    LogFigures totals_;
};

}  // namespace nodeagent::runtime::containerd
