#pragma once
// A Docker daemon that answers with bytes a test has written, on a unix socket of its own. Shares the test's
// io_context.

#include <stdlib.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::docker {

namespace asio = boost::asio;

/// "HTTP/1.1 200 OK" with a body of known length.
inline std::string http_answer(int status, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class RawDaemon {
  public:
    struct Answer {
        std::vector<std::string> parts;  ///< each written by itself
        enum class Then { KeepOpen, Close, Hang } then = Then::KeepOpen;
    };

    explicit RawDaemon(asio::io_context& io) : io_(io) { listen(); }
    ~RawDaemon() { leave(); }
    RawDaemon(const RawDaemon&) = delete;
    RawDaemon& operator=(const RawDaemon&) = delete;

    [[nodiscard]] std::string address() const { return "unix://" + path(); }
    /// Answers are given in this order, whatever is asked.
    void answer(std::string bytes, Answer::Then then = Answer::Then::KeepOpen) {
        answers.push_back({{std::move(bytes)}, then});
    }
    /// Closes every connection, as a daemon that restarts does.
    void drop_connections() {
        for (const auto& socket : sockets_) {
            boost::system::error_code ignored;
            socket->close(ignored);
        }
        sockets_.clear();
    }
    void leave() {
        boost::system::error_code ignored;
        if (acceptor_) acceptor_->close(ignored);
        acceptor_.reset();
        drop_connections();
        ::unlink(path().c_str());
    }

    std::deque<Answer> answers;
    std::vector<std::string> requests;  ///< request line of each
    std::vector<std::string> heads;     ///< everything up to the body
    int accepted = 0;

  private:
    using Socket = asio::local::stream_protocol::socket;
    [[nodiscard]] std::string path() const { return folder_ + "/docker.sock"; }
    void listen() {
        acceptor_ = std::make_shared<asio::local::stream_protocol::acceptor>(
            io_, asio::local::stream_protocol::endpoint(path()));
        asio::co_spawn(io_, accept(acceptor_), asio::detached);
    }
    asio::awaitable<void> accept(std::shared_ptr<asio::local::stream_protocol::acceptor> acceptor) {
        for (;;) {
            auto socket = std::make_shared<Socket>(io_);
            boost::system::error_code failed;
            co_await acceptor->async_accept(*socket, asio::redirect_error(asio::use_awaitable, failed));
            if (failed) co_return;
            ++accepted;
            sockets_.push_back(socket);
            asio::co_spawn(io_, serve(socket), asio::detached);
        }
    }
    asio::awaitable<void> serve(std::shared_ptr<Socket> socket) {
        std::string pending;
        boost::system::error_code failed;
        for (;;) {
            auto buffer = asio::dynamic_buffer(pending);
            const std::size_t head = co_await asio::async_read_until(*socket, buffer, "\r\n\r\n",
                                                                     asio::redirect_error(asio::use_awaitable, failed));
            if (failed) co_return;
            const std::string text = pending.substr(0, head);
            pending.clear();  // bodies of tests are short and arrive with their head
            requests.push_back(text.substr(0, text.find("\r\n")));
            heads.push_back(text);
            if (answers.empty()) co_return;
            const Answer next = std::move(answers.front());
            answers.pop_front();
            for (const std::string& part : next.parts) {
                co_await asio::async_write(*socket, asio::buffer(part),
                                           asio::redirect_error(asio::use_awaitable, failed));
            }
            if (next.then == Answer::Then::Close) {
                socket->close(failed);
                co_return;
            }
            if (next.then == Answer::Then::Hang) co_return;  // the socket stays open, silent
        }
    }

    asio::io_context& io_;
    fakes::TempDirectory folder_;
    std::shared_ptr<asio::local::stream_protocol::acceptor> acceptor_;
    std::vector<std::shared_ptr<Socket>> sockets_;
};

/// Runs `io` until the coroutine ends and gives its result.
template <class T>
T run_on(asio::io_context& io, asio::awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr error, T value) {
        thrown = error;
        result.emplace(std::move(value));
    });
    io.restart();
    while (!result) {
        if (io.run_one() == 0) throw std::runtime_error("nothing left to run, but the coroutine waits");
    }
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
}

}  // namespace nodeagent::runtime::docker
