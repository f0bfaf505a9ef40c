#include "runtime/logs/status.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>

#include "agent/base/fd.hpp"
#include "agent/base/json.hpp"
#include "agent/base/time_format.hpp"
#include "runtime/logs/logger_status.hpp"

namespace nodeagent::runtime::logs {
namespace {

constexpr std::int64_t kEvery = 10;
constexpr std::int64_t kTellEvery = 60;

std::int64_t seconds_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace

void tell_host(std::string_view text) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, "/dev/log", sizeof address.sun_path - 1);
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const std::string line = "<28>ecs-awslogs[" + std::to_string(::getpid()) + "]: " + std::string(text);
    // nobody to tell if it fails
    [[maybe_unused]] const ssize_t sent = ::sendto(socket.get(), line.data(), line.size(), MSG_NOSIGNAL,
                                                   reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

void StatusFile::failed(const std::string& why) {
    last_error_ = why;
    last_error_at_ = rfc3339_seconds(std::chrono::system_clock::now());
    const bool first = !failing_;
    failing_ = true;
    const std::int64_t now = seconds_now();
    if (first || now - told_at_ >= kTellEvery) {
        told_at_ = now;
        tell_host(why);
    }
    update("running", first);
}

void StatusFile::worked() { failing_ = false; }

void StatusFile::update(std::string_view condition, bool now) {
    if (path_.empty()) return;
    const std::int64_t at = seconds_now();
    if (!now && at - written_at_ < kEvery) return;
    const Counts& counts = state_.counts;
    LoggerStatus status;
    status.state = condition;
    status.pid = ::getpid();
    status.began_at = rfc3339_nanos(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(state_.began))));
    status.lines = counts.lines;
    status.bytes = counts.bytes;
    status.events = counts.events;
    status.event_bytes = counts.event_bytes;
    status.requests = counts.requests;
    status.failed_requests = counts.failed_requests;
    status.rejected_events = counts.rejected_events;
    status.refused_events = counts.refused_events;
    status.dropped_lines = counts.dropped_lines;
    status.dropped_bytes = counts.dropped_bytes;
    status.spooled_lines = counts.spooled_lines;
    status.spool_bytes = state_.spool.bytes;
    status.buffer_bytes = state_.ring.texts - state_.ring.texts_done;
    status.damaged_records = counts.damaged_records;
    status.restarts = counts.restarts;
    status.last_error = last_error_;
    status.last_error_at = last_error_at_;
    std::string text = encode(status);
    if (!now && text == last_) return;
    last_ = text;
    status.updated_at = rfc3339_seconds(std::chrono::system_clock::now());
    text = encode(status) + "\n";
    written_at_ = at;
    // no fsync: a hundred loggers write one every ten seconds
    const std::string beside = path_ + ".new";
    {
        const Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return;
    }
    ::rename(beside.c_str(), path_.c_str());
}

}  // namespace nodeagent::runtime::logs
