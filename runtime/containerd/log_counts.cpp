#include "runtime/containerd/log_counts.hpp"

namespace nodeagent::runtime::containerd {

void LogCounts::note(const std::string& id, const logs::LoggerStatus& now) {
    logs::LoggerStatus& last = last_[id];
    if (last.began_at != now.began_at) last = {};  // another program
    const auto add = [&](std::uint64_t LogFigures::*total, std::uint64_t logs::LoggerStatus::*count) {
        if (now.*count > last.*count) totals_.*total += now.*count - last.*count;
    };
    using S = logs::LoggerStatus;
    add(&LogFigures::lines, &S::lines);
    add(&LogFigures::bytes, &S::bytes);
    add(&LogFigures::events, &S::events);
    add(&LogFigures::requests, &S::requests);
    add(&LogFigures::failed_requests, &S::failed_requests);
    add(&LogFigures::refused_events, &S::rejected_events);
    add(&LogFigures::refused_events, &S::refused_events);
    add(&LogFigures::dropped_lines, &S::dropped_lines);
    add(&LogFigures::dropped_bytes, &S::dropped_bytes);
    add(&LogFigures::spooled_lines, &S::spooled_lines);
    add(&LogFigures::restarts, &S::restarts);
    last = now;
}

}  // namespace nodeagent::runtime::containerd
