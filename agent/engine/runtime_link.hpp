#pragma once
// Whether the container runtime can be reached, and its event stream. Connects when the daemon appears, however late,
// and again whenever the stream breaks; work for the runtime waits here meanwhile instead of failing.

#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/engine/one_shot.hpp"
#include "runtime/backend.hpp"

namespace nodeagent::engine {

class RuntimeLink {
  public:
    RuntimeLink(asio::any_io_executor shard, Clock& clock, runtime::Backend& backend);

    /// Runs until it is cancelled. `connected` is called each time the stream stands, before events come: what happened
    /// in the gap must be looked up then. `changed` is called for each event, in order.
    asio::awaitable<void> run(std::function<void()> connected, std::function<void(runtime::RuntimeEvent)> changed);

    [[nodiscard]] bool reachable() const { return reachable_; }
    /// What to tell people: false from a failed attempt or a broken stream until it can be reached again. Whoever made
    /// the link has had an answer, so true while the stream is being opened for the first time.
    [[nodiscard]] bool answers() const { return answers_; }
    /// How often the runtime, once reached, was lost.
    [[nodiscard]] std::uint64_t outages() const { return outages_; }
    /// Returns at once while the runtime can be reached.
    asio::awaitable<void> wait_reachable();
    /// The first probe's answer; waits for it.
    asio::awaitable<runtime::Capabilities> first_answer();
    /// The last probe's answer; empty before the first.
    [[nodiscard]] const runtime::Capabilities& capabilities() const { return capabilities_; }

  private:
    void opened();
    void closed();

    asio::any_io_executor shard_;
    Clock& clock_;
    runtime::Backend& backend_;
    bool reachable_ = false;
    bool answers_ = true;
    std::uint64_t outages_ = 0;
    runtime::Capabilities capabilities_;
    std::shared_ptr<OneShot<bool>> open_;  ///< of the present outage
    std::shared_ptr<OneShot<bool>> answered_;
};

}  // namespace nodeagent::engine
