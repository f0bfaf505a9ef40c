#include "agent/engine/patient_work.hpp"

#include "agent/base/retries.hpp"
#include "agent/engine/runtime_link.hpp"

namespace nodeagent::engine {

asio::awaitable<void> PatientWork::ready() {
    const SteadyTime asked = clock_.now().steady;
    co_await link_.wait_reachable();
    waited_ += clock_.now().steady - asked;
    outages_ = link_.outages();
    begun_ = clock_.now().steady;
}

asio::awaitable<bool> PatientWork::lost(Error error) {
    // a daemon that ends may still say why what it had in hand was given up, and calls that neither way
    if (error.kind != ErrorKind::Unavailable && error.kind != ErrorKind::Internal) co_return false;
    if (losses_ >= kUnavailableAttempts) co_return false;
    bool gone = link_.outages() != outages_;
    if (!gone) {
        const Result<void> alive = co_await backend_.ping(kPingLimit);
        gone = !alive || link_.outages() != outages_;
    }
    if (!gone) co_return false;
    ++losses_;
    count_retry(Retried::RuntimeCall, error.kind);
    co_await clock_.sleep_for(backoff_.next());  // the link may not have noticed yet
    waited_ += clock_.now().steady - begun_;
    co_return true;
}

}  // namespace nodeagent::engine
