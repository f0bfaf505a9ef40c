// ContainerdBackend: what happens when processes end. An end is told by a call that waits for it; the event stream only
// tells the engine. First its outcome is written down, so that anybody can be told; then the task is taken down, which
// can take as long as its logging program has something to send.

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/log.hpp"
#include "runtime/containerd/blocking.hpp"
#include "runtime/containerd/containerd_backend.hpp"

namespace nodeagent::runtime::containerd {

void ContainerdBackend::told(const Exits::Key& process, const Result<Exit>& exit) {
    if (const auto waiting = waiters_.extract(process); !waiting.empty()) {
        for (const std::shared_ptr<Waiter>& waiter : waiting.mapped()) {
            waiter->exit = exit;
            waiter->timer.cancel();
        }
    }
    // Unavailable: the watch that begins when the daemon is back waits for it again
    if (!process.second.empty() || (!exit && exit.error().kind != ErrorKind::NotFound)) return;
    end_probing(process.first);
    scope_.spawn(settle(process.first));
}

asio::awaitable<std::optional<Result<Exit>>> ContainerdBackend::end_within(std::string id, std::string exec,
                                                                           std::chrono::nanoseconds limit) {
    const Exits::Key key(id, exec);
    const auto waiter = std::make_shared<Waiter>(shard_, limit);
    waiters_[key].push_back(waiter);
    exits_.watch(id, exec);
    boost::system::error_code woken;
    co_await waiter->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (waiter->exit) co_return waiter->exit;
    if (const auto line = waiters_.find(key); line != waiters_.end()) {
        line->second.remove(waiter);
        if (line->second.empty()) waiters_.erase(line);
    }
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return std::nullopt;
}

asio::awaitable<Result<void>> ContainerdBackend::note_end(std::string id) {
    // whoever saw the record before that need not wait for its logging program
    if (taking_down_.contains(id)) co_return Result<void>{};
    const KeyedLock::Held held = co_await locks_.acquire(id);
    const bool oom = out_of_memory_.contains(id);
    auto work = run_blocking(calls_, [this, id, oom] { return containers_.note_end(id, oom); });
    Result<void> noted = co_await std::move(work);
    if (noted) out_of_memory_.erase(id);
    co_return noted;
}

asio::awaitable<void> ContainerdBackend::settle(std::string id) {
    const Result<void> noted = co_await note_end(id);
    if (noted) {
        const KeyedLock::Held held = co_await locks_.acquire(id);
        // under the lock: a start that was on its way has begun its probes by now
        end_probing(id);
        taking_down_.insert(id);
        auto work = run_blocking(calls_, [this, id] { return containers_.take_down(id); });
        const Result<std::optional<Running>> down = co_await std::move(work);
        taking_down_.erase(id);
        if (down) {
            if (!*down) co_return;
            // this was an earlier end, told late: nobody waits for the next one yet
            exits_.watch(id, {});
            begin_probing(id, **down);
            co_return;
        }
        log::warn("an ended container's task cannot be taken down; tried again when containerd is connected anew",
                  {{"container", id}, {"cause", down.error().what}});
        co_return;
    }
    if (noted.error().kind == ErrorKind::NotFound) co_return;  // removed meanwhile
    log::warn("the end of a container cannot be written down; tried again when containerd is connected anew",
              {{"container", id}, {"cause", noted.error().what}});
}

}  // namespace nodeagent::runtime::containerd
