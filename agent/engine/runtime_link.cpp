#include "agent/engine/runtime_link.hpp"

#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"

namespace nodeagent::engine {

namespace {
// The reference waits up to 200 s between attempts; a local socket costs nothing to try, and tasks are waiting.
constexpr BackoffPolicy kReconnect{std::chrono::milliseconds(200), std::chrono::seconds(5), 0.2, 1.5};
}  // namespace

RuntimeLink::RuntimeLink(asio::any_io_executor shard, Clock& clock, runtime::Backend& backend)
    : shard_(shard),
      clock_(clock),
      backend_(backend),
      open_(std::make_shared<OneShot<bool>>(shard)),
      answered_(std::make_shared<OneShot<bool>>(shard)) {}

void RuntimeLink::opened() {
    reachable_ = true;
    answers_ = true;
    open_->give(true);
}

void RuntimeLink::closed() {
    answers_ = false;
    if (!reachable_) return;
    reachable_ = false;
    ++outages_;
    open_ = std::make_shared<OneShot<bool>>(shard_);
}

asio::awaitable<void> RuntimeLink::wait_reachable() {
    while (!reachable_) {
        auto open = open_;
        (void)co_await OneShot<bool>::wait(std::move(open));
    }
}

asio::awaitable<runtime::Capabilities> RuntimeLink::first_answer() {
    auto answered = answered_;
    (void)co_await OneShot<bool>::wait(std::move(answered));
    co_return capabilities_;
}

asio::awaitable<void> RuntimeLink::run(std::function<void()> connected,
                                       std::function<void(runtime::RuntimeEvent)> changed) {
    Backoff pause(kReconnect);
    bool complained = false;  // one line per outage, not per attempt
    for (;;) {
        Result<runtime::Capabilities> answer = co_await backend_.probe();
        if (answer) {
            capabilities_ = *std::move(answer);
            answered_->give(true);
            auto on_connected = [&] {
                if (complained) log::info("container runtime reachable again", {{"version", capabilities_.version}});
                complained = false;
                pause.reset();
                opened();
                connected();
            };
            const Error broken = co_await backend_.watch(std::move(on_connected), changed);
            closed();
            const bool stopping = co_await Scope::stopping();
            if (stopping) co_return;
            log::warn("container runtime event stream ended; connecting again", {{"cause", broken.what}});
        } else {
            answers_ = false;
            if (!complained) {
                log::warn("container runtime not reachable; tasks wait until it is: is the daemon running?",
                          {{"cause", answer.error().what}});
            }
            complained = true;
        }
        co_await clock_.sleep_for(pause.next());
    }
}

}  // namespace nodeagent::engine
