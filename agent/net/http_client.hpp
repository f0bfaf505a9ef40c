#pragma once
// HTTP towards AWS: one request, one response. The real one is libcurl on the blocking pool.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"

namespace nodeagent::net {

namespace asio = boost::asio;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Where the body of a 2xx answer goes instead of HttpResponse::body. Called on the thread that receives it.
class BodySink {
  public:
    virtual ~BodySink() = default;
    /// An attempt begins: what an earlier one brought is void. An error ends the attempt.
    virtual Result<void> restart() = 0;
    virtual Result<void> write(std::string_view bytes) = 0;
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;  ///< absolute, http or https
    Headers headers;
    std::string body;
    std::chrono::milliseconds connect_timeout{30'000};
    std::chrono::milliseconds total_timeout{42'000};  ///< the whole attempt
    std::size_t max_body = 16U << 20U;                ///< a longer answer is Malformed
    bool use_proxy = true;                            ///< honour HTTP(S)_PROXY and NO_PROXY
    std::shared_ptr<BodySink> body_sink;              ///< nullptr: the body is kept in memory
};

struct HttpResponse {
    int status = 0;
    Headers headers;
    std::string body;
    /// First header of that name, without regard to case; "" when absent.
    [[nodiscard]] std::string header(std::string_view name) const;
};

/// Any HTTP status is a value; an Error means no answer (Unavailable, Timeout, Denied for TLS).
class HttpClient {
  public:
    virtual ~HttpClient() = default;
    virtual asio::awaitable<Result<HttpResponse>> send(HttpRequest request) = 0;
};

}  // namespace nodeagent::net
