#pragma once
// Text helpers that the standard library lacks. ASCII rules only; nothing here depends on the locale.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent {

[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);
[[nodiscard]] std::string lower(std::string_view text);
/// Without leading and trailing white space.
[[nodiscard]] std::string_view trimmed(std::string_view text);
/// Every part, empty ones included: split("a,,b", ',') -> {"a", "", "b"}; split("", ',') -> {""}.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
/// The first `limit` bytes, as the service's length limits count.
[[nodiscard]] std::string truncated(std::string_view text, std::size_t limit);
/// A base-10 integer that fills the whole text (an optional '-' first), or nothing.
[[nodiscard]] std::optional<long long> parse_integer(std::string_view text);
[[nodiscard]] std::string hex(std::string_view bytes);
/// RFC 3986: everything but unreserved characters as %XX; '/' too unless `keep_slash`.
[[nodiscard]] std::string percent_encode(std::string_view text, bool keep_slash = false);
/// Decodes %XX; nothing if an escape is broken. '+' stays '+'.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);
/// `text` as a JSON string in quotes; invalid UTF-8 becomes \ufffd; <, >, & escaped when `html` (as Go's encoder does).
void append_json_string(std::string& out, std::string_view text, bool html = false);
/// What is not valid UTF-8 becomes U+FFFD, byte by byte.
[[nodiscard]] std::string valid_utf8(std::string_view text);
/// Standard base64 with padding.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
[[nodiscard]] std::string base64url_encode(std::string_view bytes);
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);
/// A random UUID, version 4, lower case.
[[nodiscard]] std::string uuid4();

}  // namespace nodeagent
