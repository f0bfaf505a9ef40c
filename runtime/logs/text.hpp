#pragma once
// Text as CloudWatch Logs counts and takes it: each byte that is no UTF-8 becomes U+FFFD, three bytes.

#include <cstddef>
#include <string>
#include <string_view>

namespace nodeagent::runtime::logs {

[[nodiscard]] std::size_t effective_length(std::string_view text);

struct Piece {
    std::size_t bytes;      ///< of the text
    std::size_t effective;  ///< what they come to
};
/// The longest begin of `text` that comes to at most `limit` and cuts no character.
[[nodiscard]] Piece valid_begin(std::string_view text, std::size_t limit);

/// As a JSON string with quotes. `html`: <, > and & are escaped, and U+2028 and U+2029, as Go does.
void append_json(std::string& out, std::string_view text, bool html);

}  // namespace nodeagent::runtime::logs
