#pragma once
// What both sessions do alike: find the endpoint, sign the upgrade request, connect, and tell how a connection ended.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/credentials/provider.hpp"
#include "agent/ecs/acs_session.hpp"
#include "agent/net/ws_connection.hpp"

namespace nodeagent::ecs {

constexpr std::uint16_t kConnectionExpiredCode = 1000;
constexpr std::string_view kConnectionExpired = "ConnectionExpired: Reconnect to continue";
constexpr std::size_t kLastErrorBytes = 512;  ///< of an error text that a status keeps

struct SignedSocket {
    std::unique_ptr<net::WsConnection> socket;
    std::string endpoint;  ///< as discovered
    std::string url;       ///< http(s), with the query; what TCS frames are signed for
};

/// A refusal that names an exception of the service has "<TypeName>: <message>" as its text (control-plane.md 5.2).
asio::awaitable<Result<SignedSocket>> open_signed(DiscoverEndpoint discover,
                                                  std::function<std::string(std::string)> to_url,
                                                  credentials::Provider& credentials, net::WsDialer& dialer,
                                                  Clock& clock, std::string region);

/// Nothing for the close codes after which one reconnects at once (1000, 1001, 1006, 1011).
[[nodiscard]] std::optional<Error> closing_fault(const net::WsClosed& closed);

}  // namespace nodeagent::ecs
