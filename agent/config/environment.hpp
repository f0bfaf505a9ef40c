#pragma once
// The process environment as a value. main() takes it once; everything else is handed this map, and nothing calls
// getenv.

#include <map>
#include <string>
#include <string_view>

namespace nodeagent::config {

using Environment = std::map<std::string, std::string, std::less<>>;

/// From main's third argument or `environ`. Of a repeated name the first entry counts, as getenv would have it.
[[nodiscard]] Environment environment_from(const char* const* entries);
/// The value, or "" when the variable is absent.
[[nodiscard]] std::string value_of(const Environment& environment, std::string_view name);

}  // namespace nodeagent::config
