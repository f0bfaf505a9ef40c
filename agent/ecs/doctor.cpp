#include "agent/ecs/doctor.hpp"

#include <utility>

namespace nodeagent::ecs {

namespace {
constexpr auto kPingDeadline = std::chrono::seconds(2);
}

Doctor::Doctor(Ping ping, Clock& clock)
    : ping_(std::move(ping)),
      clock_(clock),
      changed_at_(clock.now().wall),
      checked_at_(changed_at_),
      previously_checked_at_(changed_at_) {}

asio::awaitable<void> Doctor::check() {
    if (checking_) co_return;
    struct Busy {
        bool& flag;
        explicit Busy(bool& f) : flag(f) { flag = true; }
        ~Busy() { flag = false; }
    } busy(checking_);
    const auto alive = co_await ping_(kPingDeadline);
    const Health found = alive ? Health::Ok : Health::Impaired;
    const WallTime now = clock_.now().wall;
    if (found != health_) changed_at_ = now;
    health_ = found;
    previously_checked_at_ = std::exchange(checked_at_, now);
    reported_ = false;
}

std::vector<model::InstanceStatus> Doctor::statuses() const {
    const char* word = health_ == Health::Ok ? "OK" : health_ == Health::Impaired ? "IMPAIRED" : "INITIALIZING";
    // lastUpdated names the check before the last one, as the reference does
    return {model::InstanceStatus{.last_status_change = model::tcs_timestamp(changed_at_),
                                  .last_updated = model::tcs_timestamp(previously_checked_at_),
                                  .status = word,
                                  .type = "ContainerRuntime"}};
}

}  // namespace nodeagent::ecs
