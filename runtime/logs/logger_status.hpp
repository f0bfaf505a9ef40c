#pragma once
// What a logger tells about itself: a JSON file that the agent reads for /metrics and people for a reason. It has no
// place else: its standard outputs are /dev/null. Counts begin with the program, so with each run of the container.

#include <cstdint>
#include <string>

#include "agent/base/json_fields.hpp"

namespace nodeagent::runtime::logs {

struct LoggerStatus {
    std::string state;  ///< "running", "ended", "unsent" (ended, and lines are left in the spool)
    std::int64_t pid = 0;
    std::string began_at;  ///< of the program: where it differs, counts begin anew
    std::string updated_at;
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    std::uint64_t events = 0;
    std::uint64_t event_bytes = 0;
    std::uint64_t requests = 0;
    std::uint64_t failed_requests = 0;
    std::uint64_t rejected_events = 0;
    std::uint64_t refused_events = 0;
    std::uint64_t dropped_lines = 0;
    std::uint64_t dropped_bytes = 0;
    std::uint64_t spooled_lines = 0;
    std::uint64_t spool_bytes = 0;   ///< on disk now
    std::uint64_t buffer_bytes = 0;  ///< text in memory now
    std::uint64_t damaged_records = 0;
    std::uint64_t restarts = 0;
    std::string last_error;
    std::string last_error_at;

    static constexpr auto json_fields() {
        return std::tuple{always_field("state", &LoggerStatus::state),
                          always_field("pid", &LoggerStatus::pid),
                          optional_field("began_at", &LoggerStatus::began_at),
                          always_field("updated_at", &LoggerStatus::updated_at),
                          always_field("lines", &LoggerStatus::lines),
                          always_field("bytes", &LoggerStatus::bytes),
                          always_field("events", &LoggerStatus::events),
                          always_field("event_bytes", &LoggerStatus::event_bytes),
                          always_field("requests", &LoggerStatus::requests),
                          always_field("failed_requests", &LoggerStatus::failed_requests),
                          always_field("rejected_events", &LoggerStatus::rejected_events),
                          always_field("refused_events", &LoggerStatus::refused_events),
                          always_field("dropped_lines", &LoggerStatus::dropped_lines),
                          always_field("dropped_bytes", &LoggerStatus::dropped_bytes),
                          always_field("spooled_lines", &LoggerStatus::spooled_lines),
                          always_field("spool_bytes", &LoggerStatus::spool_bytes),
                          always_field("buffer_bytes", &LoggerStatus::buffer_bytes),
                          always_field("damaged_records", &LoggerStatus::damaged_records),
                          always_field("restarts", &LoggerStatus::restarts),
                          optional_field("last_error", &LoggerStatus::last_error),
                          optional_field("last_error_at", &LoggerStatus::last_error_at)};
    }
};

}  // namespace nodeagent::runtime::logs
