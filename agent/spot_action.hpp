#pragma once
// The interruption notice of a spot instance (control-plane.md 2.5), and who looks for it.

#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"

namespace nodeagent {

struct SpotAction {
    std::string action;  ///< hibernate, terminate or stop
    WallTime when{};
};

/// From the metadata service's {"action":...,"time":...}. Malformed for another action or no time.
[[nodiscard]] Result<SpotAction> parse_spot_action(std::string_view text);

using AskSpotAction = std::function<asio::awaitable<Result<std::string>>()>;

/// Asks every second until a notice is there. No notice is an error of the metadata service, and means nothing.
asio::awaitable<SpotAction> wait_for_spot_action(AskSpotAction ask, Clock& clock);

}  // namespace nodeagent
