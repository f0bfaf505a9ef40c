#pragma once
// The bridge that Docker puts containers on which name no network.

#include <chrono>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/json.hpp"
#include "runtime/docker/backend.hpp"

namespace nodeagent::runtime::docker {

/// Of GET /networks: the interface of the first one that is marked as the default; "" when there is none. Pure.
[[nodiscard]] std::string default_bridge_of(const Json& networks);

/// Asks the daemon once. "" : it has none (--bridge=none). Unavailable or Timeout: it does not answer.
boost::asio::awaitable<Result<std::string>> ask_default_bridge(boost::asio::any_io_executor executor, Options options,
                                                               std::chrono::nanoseconds timeout);

}  // namespace nodeagent::runtime::docker
