#pragma once
// HTTP to the Docker daemon: calls over a few kept connections, and streams of JSON lines on connections of their own.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"
#include "runtime/docker/endpoint.hpp"

namespace boost::asio::ssl {
class context;
}

namespace nodeagent::runtime::docker {

namespace asio = boost::asio;

class Connection;

struct ApiRequest {
    std::string method = "GET";
    std::string target{};  ///< with version prefix and query, percent-encoded
    std::string body{};    ///< JSON, unless `content_type` says otherwise
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers{};
    std::chrono::nanoseconds timeout = std::chrono::seconds(30);  ///< of the whole call; for streams: to their end
};

struct ApiResponse {
    int status = 0;
    std::string body;
};

struct StreamTimeouts {
    std::optional<std::chrono::nanoseconds> begin;       ///< until the first line
    std::optional<std::chrono::nanoseconds> inactivity;  ///< between reads after that
    std::optional<std::chrono::nanoseconds> total;
};

struct StreamEnd {
    enum class Expired : unsigned char { None, Begin, Inactivity, Total };
    Expired expired = Expired::None;
    std::optional<Error> error;  ///< no answer, or the connection broke; nothing when the daemon ended the stream
    std::optional<ApiResponse> refusal;  ///< the daemon answered with another status than 200
};

class ApiClient {
  public:
    /// `tls` is nullptr for a plain connection.
    ApiClient(asio::any_io_executor executor, Endpoint endpoint, std::unique_ptr<asio::ssl::context> tls);
    ~ApiClient();
    ApiClient(const ApiClient&) = delete;
    ApiClient& operator=(const ApiClient&) = delete;

    /// Any status is a value. Unavailable: no daemon, or it hung up; Timeout. A kept connection that turns out to be
    /// dead is replaced and the request repeated, so requests must be safe to repeat.
    asio::awaitable<Result<ApiResponse>> call(ApiRequest request);

    /// `opened` is called when the daemon has accepted, `line` with every line of the body. Neither may throw.
    asio::awaitable<StreamEnd> stream(ApiRequest request, StreamTimeouts timeouts, std::function<void()> opened,
                                      std::function<void(std::string_view)> line);

    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
    [[nodiscard]] std::size_t idle_connections() const { return idle_.size(); }

  private:
    [[nodiscard]] Error connect_error(const boost::system::error_code& cause) const;
    asio::awaitable<Result<std::unique_ptr<Connection>>> fresh(std::chrono::steady_clock::time_point until);
    void keep(std::unique_ptr<Connection> connection);

    asio::any_io_executor executor_;
    Endpoint endpoint_;
    std::unique_ptr<asio::ssl::context> tls_;
    std::vector<std::unique_ptr<Connection>> idle_;  ///< the last one was used last
};

}  // namespace nodeagent::runtime::docker
