#pragma once
// A websocket to the control plane: TCP or TLS, directly or through a CONNECT proxy, driven by WsCodec. Lives on the
// shard of the coroutine that opened it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"
#include "agent/net/http_client.hpp"
#include "agent/net/proxy.hpp"

namespace nodeagent::net {

/// How servers are verified. Empty paths: the system's certificates (SSL_CERT_FILE and SSL_CERT_DIR are honoured).
struct TlsOptions {
    std::string ca_file{};
    std::string ca_dir{};
    bool insecure = false;  ///< -k: any certificate is accepted
};

struct WsDeadlines {
    std::chrono::milliseconds connect{30'000};    ///< name lookup, TCP, and the proxy's CONNECT
    std::chrono::milliseconds handshake{30'000};  ///< TLS and the upgrade
    std::chrono::milliseconds read{
        180'000};  ///< from the call of read() to a whole message; control frames do not count
    std::chrono::milliseconds write{180'000};  ///< one message
};

struct WsMessage {
    std::string payload;
    bool binary = false;
};
/// The peer closed, or (1006) ended the stream without a close frame.
struct WsClosed {
    std::uint16_t code = 0;
    std::string reason;
};
/// What read() gives; after WsClosed or Error the connection is over.
using WsEvent = std::variant<WsMessage, WsClosed, Error>;

class WsConnection {
  public:
    ~WsConnection();
    WsConnection(const WsConnection&) = delete;
    WsConnection& operator=(const WsConnection&) = delete;

    /// The next message; one reader at a time. Answers pings and echoes the peer's close frame on the way.
    asio::awaitable<WsEvent> read();
    /// Sends one text message; concurrent calls go out one after the other, in call order.
    asio::awaitable<Result<void>> write(std::string text);
    /// Sends a close frame and returns; read() then gives the peer's answer. No effect when already closing.
    asio::awaitable<void> close(std::uint16_t code, std::string reason);
    /// Cuts the connection at once: a pending read() gives an Error of kind Unavailable that says `why`.
    void drop(std::string why);

  private:
    friend class WsDialer;
    struct Impl;
    explicit WsConnection(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;  ///< shared with the coroutines that are inside
};

/// Opens connections; keeps the loaded certificates between them. Must outlive open() calls, not the connections.
class WsDialer {
  public:
    struct Options {
        TlsOptions tls{};
        ProxySettings proxy{};
        WsDeadlines deadlines{};
        std::size_t max_message = std::size_t{64} << 20U;
    };
    explicit WsDialer(Options options);
    ~WsDialer();
    WsDialer(const WsDialer&) = delete;
    WsDialer& operator=(const WsDialer&) = delete;

    /// `url` is ws:// or wss://. A refused upgrade is Unavailable (Denied for 401 and 403) with "status N" and the body
    /// in `what`; `refusal` then gets the plain body.
    asio::awaitable<Result<std::unique_ptr<WsConnection>>> open(std::string url, Headers headers,
                                                                std::string* refusal = nullptr);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nodeagent::net
