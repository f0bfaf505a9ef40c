#include "agent/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "agent/base/error.hpp"
#include "agent/base/fd.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent {

namespace {

using namespace std::chrono_literals;

constexpr auto kStartInterval = 10s;
/// Asked for anew every kStartInterval: a loop that stands still is killed after this.
constexpr std::string_view kMoreTime = "EXTEND_TIMEOUT_USEC=30000000\n";

std::optional<std::chrono::nanoseconds> watchdog_of(const config::Environment& environment) {
    const auto limit = parse_integer(config::value_of(environment, "WATCHDOG_USEC"));
    if (!limit || *limit <= 0) return std::nullopt;
    const std::string pid = config::value_of(environment, "WATCHDOG_PID");
    if (!pid.empty() && pid != std::to_string(::getpid())) return std::nullopt;
    return std::chrono::microseconds(*limit);
}

Result<void> send_datagram(const std::string& address, std::string_view text) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (address.size() > sizeof to.sun_path) {
        return Error{.kind = ErrorKind::Malformed, .what = "write to NOTIFY_SOCKET: its name is too long"};
    }
    std::memcpy(to.sun_path, address.data(), address.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return from_errno("write to NOTIFY_SOCKET");
    if (::sendto(socket.get(), text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size) <
        0)
        return from_errno("write to NOTIFY_SOCKET");
    return {};
}

}  // namespace

ServiceManager::ServiceManager(const config::Environment& environment, Clock& clock)
    : clock_(clock), address_(config::value_of(environment, "NOTIFY_SOCKET")), watchdog_(watchdog_of(environment)) {
    if (address_.starts_with('@')) address_[0] = '\0';
}

void ServiceManager::watch(std::string shard, asio::any_io_executor executor) {
    heartbeats_.add(std::move(shard), std::move(executor));
}

void ServiceManager::waiting_for(std::string_view what) { say("waiting for " + std::string(what)); }

void ServiceManager::ready(std::string_view sentence) {
    phase_ = Phase::Ready;
    say(sentence);
}

void ServiceManager::now(std::string_view sentence) {
    if (phase_ != Phase::Stopping && sentence != status_) say(sentence);
}

void ServiceManager::stopping(std::string_view why) {
    phase_ = Phase::Stopping;
    say("stopping: " + std::string(why));
}

void ServiceManager::say(std::string_view sentence) {
    status_ = sentence;
    std::replace(status_.begin(), status_.end(), '\n', ' ');  // a line is an assignment
    send();
}

/// Every message says all there is to say, so that one which found the socket full is made good by the next.
void ServiceManager::send() {
    if (address_.empty()) return;
    std::string text;
    if (!status_.empty()) text += "STATUS=" + status_ + "\n";
    switch (phase_) {
        case Phase::Starting: text += kMoreTime; break;
        case Phase::Ready: text += "READY=1\n"; break;
        case Phase::Stopping: text += "STOPPING=1\n"; break;
    }
    if (watchdog_ && silent_.empty()) text += "WATCHDOG=1\n";
    const auto sent = send_datagram(address_, text);
    if (!sent && !failure_told_) log::warn("the service manager cannot be told", {{"error", sent.error().what}});
    failure_told_ = !sent;
}

std::chrono::nanoseconds ServiceManager::interval() const {
    if (!watchdog_) return kStartInterval;
    if (!silent_.empty()) return *watchdog_ / 16;
    const auto half = *watchdog_ / 2;
    return phase_ == Phase::Starting ? std::min<std::chrono::nanoseconds>(half, kStartInterval) : half;
}

void ServiceManager::look() {
    std::vector<std::string> silent = heartbeats_.look();
    if (silent == silent_) return;
    silent_ = std::move(silent);
    if (silent_.empty()) {
        log::warn("all threads of the agent answer again");
    } else {
        log::critical("a thread of the agent stands still; unless it goes on, the service manager ends the agent",
                      {{"threads", join(silent_, ", ")}});
    }
}

asio::awaitable<void> ServiceManager::keep_alive() {
    while (!address_.empty() && (watchdog_ || phase_ == Phase::Starting || failure_told_)) {
        if (watchdog_) look();
        send();
        co_await clock_.sleep_for(interval());
    }
}

}  // namespace nodeagent
