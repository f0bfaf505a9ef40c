#pragma once
// The client side of RFC 6455 as a machine of bytes: what arrives goes into feed(), what must be sent comes out of
// WsHandlers::write. No socket, no timer, no thread. websocketpp 0.8.2 works underneath and compiles only up to C++17,
// so this header has std types only and parses under both standards.
//
//   start() -> [open -> message*] -> exactly one of refused, closed, failed; nothing is called after that one.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nodeagent::net {

constexpr std::uint16_t kWsNormalClose = 1000;
constexpr std::uint16_t kWsNoCodeInClose = 1005;  ///< the peer's close frame carried no code
constexpr std::uint16_t kWsAbnormalClose = 1006;  ///< the connection ended without a close frame
constexpr std::uint16_t kWsMessageTooBig = 1009;

/// Called from inside start(), feed(), send(), close() and end_of_stream(); they may call send() and close().
struct WsHandlers {
    std::function<void(std::string_view bytes)> write;
    std::function<void()> open;
    /// The server answered the upgrade with another status than 101; the body is cut at 64 KiB.
    std::function<void(int status, std::string body)> refused;
    std::function<void(std::string payload, bool binary)> message;
    /// The peer's close frame (the echo has been written), or kWsAbnormalClose when the stream ended without one.
    std::function<void(std::uint16_t code, std::string reason)> closed;
    /// The peer broke the protocol or a limit; where the protocol asks for a close frame it has been written.
    std::function<void(std::string what)> failed;
};

struct WsCodecOptions {
    std::string url;  ///< ws://host[:port]/path?query or wss://...; gives the request line and the Host header
    std::vector<std::pair<std::string, std::string>> headers{};  ///< added to the upgrade request
    /// The service states no limit and the reference has none. Ours protects the host: a longer message is answered
    /// with close 1009 and ends the connection.
    std::size_t max_message = std::size_t{64} << 20U;
};

class WsCodec {
  public:
    WsCodec(WsCodecOptions options, WsHandlers handlers);
    ~WsCodec();
    WsCodec(const WsCodec&) = delete;
    WsCodec& operator=(const WsCodec&) = delete;

    /// Writes the upgrade request, or fails when the URL cannot be understood.
    void start();
    /// Any chunk of what the peer sent; pings are answered, fragments joined.
    void feed(std::string_view bytes);
    /// The peer ended the stream.
    void end_of_stream();
    /// One text message. False when the connection is not open; nothing is written then.
    bool send(std::string_view text);
    /// Starts the closing handshake; the peer's answer arrives as closed(). No effect unless open. The reason is cut at
    /// 123 bytes.
    void close(std::uint16_t code, std::string_view reason);
    [[nodiscard]] bool is_open() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nodeagent::net
