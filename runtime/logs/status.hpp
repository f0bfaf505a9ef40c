#pragma once
// Writes what the logger tells about itself (logger_status.hpp).

#include <cstdint>
#include <string>

#include "runtime/logs/shared.hpp"

namespace nodeagent::runtime::logs {

class StatusFile {
  public:
    StatusFile(std::string path, SharedState& state) : path_(std::move(path)), state_(state) {}
    /// Also a line to the host's log, once a minute at most.
    void failed(const std::string& why);
    void worked();
    /// Writes it if something changed and the last time is a while ago, or `now_` in any case.
    void update(std::string_view condition, bool now);

  private:
    std::string path_;
    SharedState& state_;
    std::string last_error_;
    std::string last_error_at_;
    std::string last_;  ///< what was written, without its time
    std::int64_t written_at_ = 0;
    std::int64_t told_at_ = 0;
    bool failing_ = false;
};

/// A line of the host's log: the journal's, or syslog's; nowhere if there is neither. For a program without stderr.
void tell_host(std::string_view text);

}  // namespace nodeagent::runtime::logs
