#pragma once
// Request targets as Go's net/url and path packages see them.

#include <optional>
#include <string>
#include <string_view>

namespace nodeagent::metadata {

struct Target {
    std::string path;        ///< percent-decoded
    std::string_view query;  ///< raw; a view into the target
    bool has_query = false;
};
/// Origin form or absolute form ("http://host/path"); nothing when it is neither or an escape is broken.
[[nodiscard]] std::optional<Target> parse_target(std::string_view target);

/// Lexically shortest equal path, one trailing slash kept: "//a/./b/../c/" -> "/a/c/".
[[nodiscard]] std::string clean_path(std::string_view path);
[[nodiscard]] bool is_clean_path(std::string_view path);
/// A path as it is written into a URL.
[[nodiscard]] std::string escape_path(std::string_view path);

}  // namespace nodeagent::metadata
