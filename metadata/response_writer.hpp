#pragma once
// The bytes of an answer, as Go's net/http writes them (endpoints.md 0): its choice between Content-Length and chunks,
// its order of headers.

#include <chrono>
#include <string>
#include <string_view>

#include "metadata/message.hpp"

namespace nodeagent::metadata {

/// What of the request decides how the answer is framed.
struct Framing {
    bool http_1_1 = true;
    bool head = false;       ///< the headers of the answer without its body
    bool keep_alive = true;  ///< as the client wishes
};

/// Appends the answer to `out`; `common_headers` go after the answer's own. False when the connection has to end after
/// it.
[[nodiscard]] bool write_response(const Response& response, const Framing& framing, std::string_view common_headers,
                                  std::string_view date, std::string& out);

/// Appends an answer to a request that could not be understood; the connection ends after it.
void write_refusal(unsigned status, std::string_view detail, std::string& out);

[[nodiscard]] std::string_view reason_phrase(unsigned status);
/// "Sat, 21 Nov 2026 06:05:00 GMT"
[[nodiscard]] std::string http_date(std::chrono::system_clock::time_point when);

}  // namespace nodeagent::metadata
