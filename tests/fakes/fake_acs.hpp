#pragma once
// A websocket server for the agent's side of ACS and TCS: real sockets on loopback, port chosen by the system, ws or
// wss with a certificate made on the spot. Runs on the test's io_context; the test scripts it and reads what it saw.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace nodeagent::fakes {

namespace asio = boost::asio;

class FakeAcs {
  public:
    struct Options {
        bool tls = false;
        int refuse_status = 0;  ///< answer upgrades with this status and `refuse_body`
        std::string refuse_body{};
    };
    explicit FakeAcs(asio::io_context& io) : FakeAcs(io, Options{}) {}
    FakeAcs(asio::io_context& io, Options options);
    ~FakeAcs();
    FakeAcs(const FakeAcs&) = delete;
    FakeAcs& operator=(const FakeAcs&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    /// "http://127.0.0.1:PORT/acs", https with TLS: what DiscoverPollEndpoint would say.
    [[nodiscard]] std::string endpoint() const;
    /// PEM file of the server's certificate, good for 127.0.0.1 only; removed with the server.
    [[nodiscard]] std::string ca_file() const;
    /// From the next upgrade on; status 0 accepts again.
    void refuse(int status, std::string body);

    [[nodiscard]] std::size_t upgrades() const;                               ///< accepted ones
    [[nodiscard]] std::size_t attempts() const;                               ///< upgrade requests seen
    [[nodiscard]] bool connected() const;                                     ///< the latest connection is open
    [[nodiscard]] std::string target() const;                                 ///< request target of the latest upgrade
    [[nodiscard]] const std::map<std::string, std::string>& headers() const;  ///< of it, names in lower case
    [[nodiscard]] const std::vector<std::string>& received() const;           ///< messages of all connections
    [[nodiscard]] const std::vector<std::string>& pongs() const;
    [[nodiscard]] std::optional<std::uint16_t> close_code() const;  ///< of the last close frame the agent sent
    [[nodiscard]] std::string close_reason() const;

    // On the latest connection.
    void send(std::string text);
    void send_binary(std::string bytes);
    void ping(std::string payload);
    void close(std::uint16_t code, std::string reason);
    /// Bytes as they are, below the websocket layer: half a frame, an unmasked control frame ...
    void send_raw(std::string bytes);
    /// Ends the stream without a close frame; what was queued goes out first.
    void cut();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Runs the loop until `done()`; false after twenty seconds of real time.
template <class Done>
[[nodiscard]] bool run_until(asio::io_context& io, Done done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        io.restart();
        io.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
}

}  // namespace nodeagent::fakes
