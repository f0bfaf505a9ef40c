#pragma once
// A daemon's unix socket under another path, which a test can cut.

#include <unistd.h>

#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace nodeagent::runtime {

namespace asio = boost::asio;

/// Passes bytes between a socket of its own and the daemon's, until it is cut.
class Relay {
  public:
    Relay(asio::io_context& io, std::string own, std::string daemon)
        : io_(io), own_(std::move(own)), daemon_(std::move(daemon)) {
        open();
    }
    ~Relay() { cut(); }
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    void open() {
        acceptor_ =
            std::make_shared<asio::local::stream_protocol::acceptor>(io_, asio::local::stream_protocol::endpoint(own_));
        asio::co_spawn(io_, accept(acceptor_), asio::detached);
    }
    void cut() {
        boost::system::error_code ignored;
        if (acceptor_) acceptor_->close(ignored);
        acceptor_.reset();
        for (const auto& socket : sockets_) socket->close(ignored);
        sockets_.clear();
        ::unlink(own_.c_str());
    }

  private:
    using Socket = asio::local::stream_protocol::socket;
    asio::awaitable<void> accept(std::shared_ptr<asio::local::stream_protocol::acceptor> acceptor) {
        for (;;) {
            auto near = std::make_shared<Socket>(io_);
            auto far = std::make_shared<Socket>(io_);
            boost::system::error_code failed;
            co_await acceptor->async_accept(*near, asio::redirect_error(asio::use_awaitable, failed));
            if (failed) co_return;
            const asio::local::stream_protocol::endpoint peer(daemon_);
            far->connect(peer, failed);
            if (failed) continue;
            sockets_.push_back(near);
            sockets_.push_back(far);
            asio::co_spawn(io_, pump(near, far), asio::detached);
            asio::co_spawn(io_, pump(far, near), asio::detached);
        }
    }
    static asio::awaitable<void> pump(std::shared_ptr<Socket> from, std::shared_ptr<Socket> to) {
        std::vector<char> bytes(65536);
        boost::system::error_code failed;
        for (;;) {
            const std::size_t count =
                co_await from->async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed));
            if (failed) break;
            co_await asio::async_write(*to, asio::buffer(bytes.data(), count),
                                       asio::redirect_error(asio::use_awaitable, failed));
            if (failed) break;
        }
        to->shutdown(Socket::shutdown_both, failed);
    }

    asio::io_context& io_;
    std::string own_, daemon_;
    std::shared_ptr<asio::local::stream_protocol::acceptor> acceptor_;
    std::list<std::shared_ptr<Socket>> sockets_;
};

}  // namespace nodeagent::runtime
