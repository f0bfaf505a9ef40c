#pragma once
// Real sockets on loopback, client and server on one loop that the test turns itself; time stands still.

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "tests/fakes/manual_clock.hpp"

namespace nodeagent::metadata::test {

namespace asio = boost::asio;

/// Turns the loop until `done`; the suite's timeout ends a test for which that never comes.
inline void turn_until(asio::io_context& io, const std::function<bool()>& done) {
    while (!done()) {
        io.restart();
        io.run_one();
    }
}

class Client {
  public:
    Client(asio::io_context& io, std::uint16_t port) : io_(io), state_(std::make_shared<State>(io)) {
        state_->socket.connect({asio::ip::address_v4::loopback(), port});
        port_ = state_->socket.local_endpoint().port();
        receive(state_);
    }
    ~Client() { state_->socket.close(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    void send(const std::string& bytes) {
        const auto text = std::make_shared<std::string>(bytes);
        asio::async_write(state_->socket, asio::buffer(*text), [text](boost::system::error_code, std::size_t) {});
    }
    /// Sends, then waits until the server has ended the connection.
    std::string ask(const std::string& bytes) {
        send(bytes);
        return until_closed();
    }
    std::string until_closed() {
        turn_until(io_, [this] { return closed(); });
        return state_->received;
    }
    /// Waits until `text` has come, or the end.
    std::string until(const std::string& text) {
        turn_until(io_, [&] { return closed() || has(text); });
        return state_->received;
    }
    /// Sends no more, but listens.
    void finish_sending() { state_->socket.shutdown(asio::ip::tcp::socket::shutdown_send); }
    void leave() {
        state_->socket.close();
        turn_until(io_, [this] { return closed(); });
    }
    [[nodiscard]] bool has(const std::string& text) const { return state_->received.find(text) != std::string::npos; }
    [[nodiscard]] bool closed() const { return state_->closed; }
    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    // shared with the pending read, which may complete after the client is gone
    struct State {
        explicit State(asio::io_context& io) : socket(io) {}
        asio::ip::tcp::socket socket;
        std::array<char, 65536> buffer{};
        std::string received;
        bool closed = false;
    };
    static void receive(const std::shared_ptr<State>& state) {
        state->socket.async_read_some(asio::buffer(state->buffer),
                                      [state](boost::system::error_code failure, std::size_t n) {
                                          state->received.append(state->buffer.data(), n);
                                          if (failure) {
                                              state->closed = true;
                                          } else {
                                              receive(state);
                                          }
                                      });
    }
    asio::io_context& io_;
    std::shared_ptr<State> state_;
    std::uint16_t port_ = 0;
};

inline std::string get(const std::string& target, const std::string& more = "Connection: close\r\n") {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

/// What follows the headers.
inline std::string body_of(const std::string& answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace nodeagent::metadata::test
