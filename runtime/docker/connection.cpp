#include "runtime/docker/connection.hpp"

#include <openssl/ssl.h>

#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace nodeagent::runtime::docker {

namespace beast = boost::beast;
using asio::redirect_error;
using asio::use_awaitable;

namespace {

using UnixStream = beast::basic_stream<asio::local::stream_protocol>;

/// Beast keeps what arrived too early; a connection that has read a long list need not keep its buffer for ever.
constexpr std::size_t kKeptBuffer = 16 * 1024;

template <class Stream>
class ConnectionOver : public Connection {
  public:
    template <class... Args>
    explicit ConnectionOver(Args&&... args) : stream_(std::forward<Args>(args)...) {}

    void expires_at(TimePoint when) override {
        if (when == TimePoint::max()) {
            beast::get_lowest_layer(stream_).expires_never();
        } else {
            beast::get_lowest_layer(stream_).expires_at(when);
        }
    }
    asio::awaitable<error_code> write(const Request& request) override {
        error_code failed;
        co_await http::async_write(stream_, request, redirect_error(use_awaitable, failed));
        co_return failed;
    }
    asio::awaitable<error_code> read_header(http::basic_parser<false>& parser) override {
        error_code failed;
        co_await http::async_read_header(stream_, buffer_, parser, redirect_error(use_awaitable, failed));
        co_return failed;
    }
    asio::awaitable<error_code> read(http::basic_parser<false>& parser) override {
        error_code failed;
        co_await http::async_read(stream_, buffer_, parser, redirect_error(use_awaitable, failed));
        if (buffer_.size() == 0 && buffer_.capacity() > kKeptBuffer) buffer_ = beast::flat_buffer();
        co_return failed;
    }
    asio::awaitable<error_code> read_some(http::basic_parser<false>& parser) override {
        error_code failed;
        co_await http::async_read_some(stream_, buffer_, parser, redirect_error(use_awaitable, failed));
        co_return failed;
    }

  protected:
    Stream stream_;
    beast::flat_buffer buffer_;
};

class UnixConnection final : public ConnectionOver<UnixStream> {
  public:
    UnixConnection(const asio::any_io_executor& executor, std::string path)
        : ConnectionOver(executor), path_(std::move(path)) {}

    asio::awaitable<error_code> connect() override {
        const asio::local::stream_protocol::endpoint peer(path_);
        error_code failed;
        co_await stream_.async_connect(peer, redirect_error(use_awaitable, failed));
        co_return failed;
    }

  private:
    std::string path_;
};

asio::awaitable<error_code> connect_tcp(beast::tcp_stream& stream, std::string host, std::string port) {
    error_code failed;
    asio::ip::tcp::resolver resolver(stream.get_executor());
    const auto peers = co_await resolver.async_resolve(host, port, redirect_error(use_awaitable, failed));
    if (failed) co_return failed;
    co_await stream.async_connect(peers, redirect_error(use_awaitable, failed));
    if (!failed) stream.socket().set_option(asio::ip::tcp::no_delay(true), failed);
    co_return failed;
}

class TcpConnection final : public ConnectionOver<beast::tcp_stream> {
  public:
    TcpConnection(const asio::any_io_executor& executor, Endpoint endpoint)
        : ConnectionOver(executor), endpoint_(std::move(endpoint)) {}

    asio::awaitable<error_code> connect() override {
        const error_code failed = co_await connect_tcp(stream_, endpoint_.host, endpoint_.port);
        co_return failed;
    }

  private:
    Endpoint endpoint_;
};

class TlsConnection final : public ConnectionOver<beast::ssl_stream<beast::tcp_stream>> {
  public:
    TlsConnection(const asio::any_io_executor& executor, Endpoint endpoint, asio::ssl::context& tls)
        : ConnectionOver(beast::tcp_stream(executor), tls), endpoint_(std::move(endpoint)) {}

    asio::awaitable<error_code> connect() override {
        error_code failed = co_await connect_tcp(stream_.next_layer(), endpoint_.host, endpoint_.port);
        if (failed) co_return failed;
        SSL_set_tlsext_host_name(stream_.native_handle(), endpoint_.host.c_str());
        if (SSL_get_verify_mode(stream_.native_handle()) != SSL_VERIFY_NONE) {
            stream_.set_verify_callback(asio::ssl::host_name_verification(endpoint_.host), failed);
            if (failed) co_return failed;
        }
        co_await stream_.async_handshake(asio::ssl::stream_base::client, redirect_error(use_awaitable, failed));
        co_return failed;
    }

  private:
    Endpoint endpoint_;
};

}  // namespace

std::unique_ptr<Connection> make_connection(const asio::any_io_executor& executor, const Endpoint& endpoint,
                                            asio::ssl::context* tls) {
    if (!endpoint.path.empty()) return std::make_unique<UnixConnection>(executor, endpoint.path);
    if (tls != nullptr) return std::make_unique<TlsConnection>(executor, endpoint, *tls);
    return std::make_unique<TcpConnection>(executor, endpoint);
}

}  // namespace nodeagent::runtime::docker
