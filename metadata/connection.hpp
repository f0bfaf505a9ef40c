#pragma once
// One client's connection: reads requests, has them answered in order, writes. Its listener watches `deadline` and
// closes the socket when it has passed.

#include <cstddef>
#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include "agent/base/clock.hpp"
#include "metadata/listener.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

struct Connection {
    using Socket = asio::generic::stream_protocol::socket;  ///< TCP or unix
    explicit Connection(Socket accepted) : socket(std::move(accepted)) {}
    Socket socket;
    Peer peer;
    SteadyTime deadline;       ///< the socket is closed when this has passed
    SteadyTime active_at;      ///< last time a request was begun or answered
    std::size_t buffered = 0;  ///< bytes of unfinished requests, counted in Shared::buffered
};

/// What the connections of a listener have in common.
struct Shared {
    Shared(Clock& time, Handler& answers, ListenerOptions bounds)
        : clock(time), handler(answers), options(std::move(bounds)) {}
    Clock& clock;
    Handler& handler;
    ListenerOptions options;
    std::size_t buffered = 0;

    /// The Date header's value now; a view until the next call.
    [[nodiscard]] std::string_view date();

  private:
    std::chrono::seconds date_second_{-1};
    std::string date_;
};

/// Of an IPv4, IPv6 or unix address; the last counts as loopback.
[[nodiscard]] Peer peer_of(const asio::generic::stream_protocol::endpoint& generic);

/// Serves until the client leaves, breaks the protocol or is too slow. Both outlive the coroutine.
asio::awaitable<void> serve(Connection& connection, Shared& shared);

}  // namespace nodeagent::metadata
