#pragma once
// A request as handlers see it and the answer they give, free of the HTTP library. Views of a Request live as long as
// the handler runs, asynchronous handlers included.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nodeagent::metadata {

/// The other end of a connection.
struct Peer {
    std::array<unsigned char, 16> address{};  ///< IPv4 addresses mapped into IPv6
    std::string ip;                           ///< "127.0.0.1", "::1"
    std::string ip_and_port;                  ///< "127.0.0.1:40112", "[::1]:40112"
    bool loopback = false;
};

struct Request {
    std::string_view method;
    std::string_view path;   ///< percent-decoded
    std::string_view query;  ///< raw, without '?'
    bool has_query = false;  ///< a '?' was there
    std::string_view body;
    bool body_whole = true;  ///< false: the client ended before it had sent all, or it is too large and nobody reads it
    std::string_view user_agent;
    std::string_view forwarded_for;      ///< first X-Forwarded-For
    std::string_view accept_encoding{};  ///< first Accept-Encoding
    std::string_view host{};             ///< of the Host header, with its port; empty only in HTTP/1.0
    const Peer* peer = nullptr;          ///< never null in a handler

    /// First value of `name` in the query, percent- and plus-decoded; nothing when the key is absent.
    [[nodiscard]] bool has_parameter(std::string_view name) const;
    [[nodiscard]] std::string parameter(std::string_view name) const;
    /// The client asks for gzip by name, and not with weight 0 (RFC 9110, 12.5.3).
    [[nodiscard]] bool accepts_gzip() const;
};

struct Response {
    unsigned status = 200;
    /// Empty: none of ours; a body without one is declared "text/plain; charset=utf-8".
    std::string_view content_type;  ///< static text
    /// Further headers in the order of their names; the reference has none that sorts before Content-Type.
    std::vector<std::pair<std::string_view, std::string>> headers;
    std::string body;
    std::shared_ptr<const std::string> shared_body;  ///< instead of body, for cached documents
    bool close = false;                              ///< the connection ends after this answer

    [[nodiscard]] std::string_view content() const { return shared_body ? std::string_view(*shared_body) : body; }
};

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";

[[nodiscard]] Response json_response(std::string body, unsigned status = 200);
/// A bare JSON string, the shape of errors of v2, v3 and v4.
[[nodiscard]] Response json_text(unsigned status, std::string_view text);
/// "404 page not found\n"
[[nodiscard]] Response not_found();

}  // namespace nodeagent::metadata
