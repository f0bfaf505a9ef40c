#pragma once
// Accepts connections and speaks HTTP/1.1 on them, a coroutine each, as Go's server does on the wire (endpoints.md 0):
// keep-alive, pipelining in order, one deadline for reading a request and one for answering it. Lives on one shard.
//
// Bounds: connections (the source with most of them loses its longest silent one), header and body size, the bytes that
// all unfinished requests together may occupy.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "metadata/message.hpp"

namespace nodeagent::metadata {

namespace asio = boost::asio;

struct ListenerOptions {
    std::vector<std::string> addresses{"127.0.0.1"};  ///< the first that can be bound: {"::", "0.0.0.0"} is "all"
    std::uint16_t port = 0;                           ///< 0: any free one
    std::string unix_path{};  ///< not empty: instead of those, a unix socket for our own user and root (mode 0600)
    std::chrono::nanoseconds read_timeout =
        std::chrono::seconds(5);  ///< for idling, and again from first byte to whole request
    std::chrono::nanoseconds write_timeout = std::chrono::seconds(5);  ///< from whole request to whole answer
    std::size_t max_connections = 512;
    std::size_t header_limit = std::size_t{1} << 20U;
    std::size_t body_limit = std::size_t{1} << 20U;
    std::size_t buffer_limit = std::size_t{16} << 20U;  ///< of all connections together
};

/// Answers requests. Called on the listener's shard.
class Handler {
  public:
    virtual ~Handler() = default;
    /// Fills `answer` and returns nothing, or returns work that will have filled it when it ends. Both references stay
    /// valid until then. The work must not throw anything but operation_aborted.
    virtual std::optional<asio::awaitable<void>> handle(const Request& request, Response& answer) = 0;
    /// Whether handle() looks at bodies of requests with this method: such a body must fit body_limit. Any other may have
    /// any size; what exceeds the limit is not read, and the connection ends after the answer.
    [[nodiscard]] virtual bool reads_body(std::string_view) const { return true; }
    /// Appends headers that every answer carries ("Name: value\r\n"); they follow the answer's own.
    virtual void write_common_headers(const Request&, const Response&, std::string&) const {}
};

class Listener {
  public:
    /// `handler` and `clock` must outlive the listener. `name` is for the log.
    Listener(asio::any_io_executor shard, Clock& clock, Handler& handler, std::string name, ListenerOptions options);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Binds, at once or after 1 s, 2 s ... 60 s between attempts, and serves.
    void start();
    asio::awaitable<void> stop();
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connections() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nodeagent::metadata
