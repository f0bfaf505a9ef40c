#pragma once
// The least HTTP client that CloudWatch Logs and credentials endpoints need: one connection that is kept, no threads,
// no redirects. TLS and its certificates are loaded with the first https request. libcurl would cost each container's
// logger more memory than all of the rest.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/logs/waiting.hpp"

namespace nodeagent::runtime::logs {

struct HttpOptions {
    std::string proxy;                            ///< "http://[user:password@]host:port"; empty: none
    std::string ca_file;                          ///< empty: the system's
    std::string ca_directory = "/etc/ssl/certs";  ///< hashed: only the certificate needed is read
};

struct SimpleRequest {
    std::string method = "GET";
    std::string url;          ///< http or https
    std::string unix_socket;  ///< asked there instead of at the URL's host
    std::vector<std::pair<std::string, std::string>> headers;
    std::string_view body;
    std::chrono::milliseconds timeout{30'000};
};

struct SimpleResponse {
    int status = 0;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;                            ///< at most 1 MiB
};

class HttpConnection {
  public:
    HttpConnection(Waiter& waiter, HttpOptions options);
    ~HttpConnection();
    /// Any status is a value. Unavailable, Timeout, Denied (TLS), Malformed (no HTTP).
    [[nodiscard]] Result<SimpleResponse> send(const SimpleRequest& request);
    /// Also ends what a child inherited, without a word to the peer.
    void close();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nodeagent::runtime::logs
