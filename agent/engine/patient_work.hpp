#pragma once
// Tells a runtime that went away during a call from a call that failed: what a pull had in hand when the daemon was
// restarted is begun again, and counts neither as an attempt nor against a time limit. One object per piece of work.

#include <chrono>
#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include "agent/base/backoff.hpp"
#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/engine/patient_call.hpp"
#include "runtime/backend.hpp"

namespace nodeagent::engine {

class RuntimeLink;

class PatientWork {
  public:
    PatientWork(RuntimeLink& link, Clock& clock, runtime::Backend& backend)
        : link_(link), clock_(clock), backend_(backend) {}

    /// Before each call: waits until the runtime can be reached.
    asio::awaitable<void> ready();
    /// After a call that failed with `error`: whether the runtime was lost meanwhile, so that the call is to be made
    /// again as if it had never been. True a few times only: a runtime that dies of what it is asked fails the work.
    asio::awaitable<bool> lost(Error error);
    /// How long the runtime was waited for in all, with the calls that it cut off; no part of what the work took.
    [[nodiscard]] std::chrono::nanoseconds waited() const { return waited_; }

  private:
    RuntimeLink& link_;
    Clock& clock_;
    runtime::Backend& backend_;
    Backoff backoff_{kUnavailableBackoff};
    std::uint64_t outages_ = 0;  ///< the link's count when the call began
    int losses_ = 0;
    SteadyTime begun_{};  ///< when the runtime was there for the call
    std::chrono::nanoseconds waited_{0};
};

}  // namespace nodeagent::engine
