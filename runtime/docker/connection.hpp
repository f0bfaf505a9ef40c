#pragma once
// One HTTP/1.1 connection to the daemon, whatever it runs over. Only api_client.cpp looks at this.

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "runtime/docker/endpoint.hpp"

namespace nodeagent::runtime::docker {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

class Connection {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;
    using Request = http::request<http::string_body>;

    virtual ~Connection() = default;
    /// Operations that are not done by then end with beast::error::timeout; TimePoint::max() is never.
    virtual void expires_at(TimePoint when) = 0;
    virtual asio::awaitable<error_code> connect() = 0;
    /// The request and the parser must outlive the operation.
    virtual asio::awaitable<error_code> write(const Request& request) = 0;
    virtual asio::awaitable<error_code> read_header(http::basic_parser<false>& parser) = 0;
    virtual asio::awaitable<error_code> read(http::basic_parser<false>& parser) = 0;
    /// Some of the body, for parsers with a buffer_body.
    virtual asio::awaitable<error_code> read_some(http::basic_parser<false>& parser) = 0;
};

/// `tls` is nullptr for a plain connection and outlives it otherwise.
[[nodiscard]] std::unique_ptr<Connection> make_connection(const asio::any_io_executor& executor,
                                                          const Endpoint& endpoint, asio::ssl::context* tls);

}  // namespace nodeagent::runtime::docker
