#pragma once
// HTTP towards AWS: one request, one response. The real one is libcurl on the blocking pool.

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"

namespace nodeagent::net {

namespace asio = boost::asio;

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "GET";
    std::string url;  ///< absolute, http or https
    Headers headers;
    std::string body;
    std::chrono::milliseconds connect_timeout{30'000};
    std::chrono::milliseconds total_timeout{42'000};  ///< the whole attempt
    std::size_t max_body = 16U << 20U;                ///< a longer answer is Malformed
    bool use_proxy = true;                            ///< honour HTTP(S)_PROXY and NO_PROXY
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
