#pragma once
// One blocking HTTP request to the agent: to its introspection endpoint, or to its control socket.

#include <chrono>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::cli {

struct Endpoint {
    std::string host;
    std::string port;
};
/// "http://127.0.0.1:51678", also without scheme, port (51678) or with an IPv6 address in brackets.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

struct Reply {
    int status = 0;
    std::string body;
};

/// Unavailable when nobody answers, with what to do about it; Timeout after `timeout`; Malformed for what is no HTTP.
[[nodiscard]] Result<Reply> get(const Endpoint& endpoint, const std::string& target, std::chrono::seconds timeout);

/// One request to the agent's control socket. Denied for who is not root; the rest as get().
[[nodiscard]] Result<Reply> call_unix(const std::string& path, const std::string& method, const std::string& target,
                                      const std::string& body, std::chrono::seconds timeout);

/// A whole response, as read up to the end of the connection.
[[nodiscard]] Result<Reply> parse_reply(std::string_view text);

}  // namespace nodeagent::cli
