#pragma once
// One HTTP request at a time per thread, its answer's body streamed, over libcurl. Blocking; no redirect is followed
// and nothing is tried again here. Thread-safe: connections are kept and handed from request to request.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/secret.hpp"
#include "agent/net/proxy.hpp"

namespace nodeagent::runtime::registry {

struct HttpAnswer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    /// Of the first header of that name in any case, "" when absent.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct HttpAsk {
    std::string method = "GET";
    std::string url{};
    std::vector<std::pair<std::string, std::string>> headers{};
    Secret authorization{};  ///< value of Authorization; "" none
    bool check_certificate = true;
    std::size_t max_body = std::size_t{64} << 10U;  ///< of a body that is kept
    /// Takes the body of an answer of 2xx in place of HttpAnswer::body; sees status and headers. An Error ends it.
    std::function<Result<void>(const HttpAnswer&, std::string_view)> sink{};
};

/// Why there is no whole answer.
struct HttpFailure {
    enum class What : std::uint8_t {
        NoConnection,  ///< resolving or connecting failed
        NoTls,         ///< the peer does not speak TLS
        Untrusted,     ///< its certificate is not trusted
        Broken,        ///< broke off, or was silent too long, after the connection was there
        Sink,          ///< the sink's own error
        TooLong,       ///< more than max_body, or than a header may have
        Stopped,
    };
    What what = What::Broken;
    Error error;
};

using HttpOutcome = boost::system::result<HttpAnswer, HttpFailure>;
/// Never called: outcomes are tested.
[[noreturn]] void throw_exception_from_error(const HttpFailure& failure, const boost::source_location& where);

struct HttpOptions {
    std::string ca_file, ca_dir;
    net::ProxySettings proxy;
    std::string user_agent;
    std::chrono::nanoseconds connect_timeout{};
    std::chrono::nanoseconds idle_timeout{};  ///< without a byte; time in the sink does not count
};

class Http {
  public:
    explicit Http(HttpOptions options);
    ~Http();
    Http(const Http&) = delete;
    Http& operator=(const Http&) = delete;

    HttpOutcome perform(const HttpAsk& ask, const std::stop_token& stop);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// `Get "https://host/path"`: how Docker's errors name a request. Without query and user information, which may be
/// secret.
[[nodiscard]] std::string shown_request(const HttpAsk& ask);

}  // namespace nodeagent::runtime::registry
