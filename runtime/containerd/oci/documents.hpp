#pragma once
// Reading Docker's Config and HostConfig documents: whatever is in them, nothing throws. A member that is absent, null
// or of another type than asked for counts as not given; the engine has checked the types before
// (docker_documents.cpp).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::runtime::containerd::oci {

/// The member, or nullptr when it is absent or null or `document` is no object.
[[nodiscard]] const Json* member_of(const Json& document, std::string_view name);
[[nodiscard]] std::string text_of(const Json& document, std::string_view name);
[[nodiscard]] bool flag_of(const Json& document, std::string_view name);
/// Beyond 63 bits: the nearest that fits.
[[nodiscard]] std::optional<std::int64_t> integer_of(const Json& document, std::string_view name);
[[nodiscard]] std::int64_t integer_or_zero(const Json& document, std::string_view name);
/// Strings of a list; one string counts as a list of it.
[[nodiscard]] std::vector<std::string> texts_of(const Json& document, std::string_view name);
/// Objects of a list.
[[nodiscard]] std::vector<const Json*> objects_of(const Json& document, std::string_view name);
/// Strings of an object, by name.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> text_map_of(const Json& document, std::string_view name);

[[nodiscard]] inline Error malformed(std::string what) {
    return Error{.kind = ErrorKind::Malformed, .what = std::move(what)};
}
/// Json converts to too much for Result's own constructor.
[[nodiscard]] inline Result<Json> json_result(Json document) {
    return Result<Json>(boost::system::in_place_value, std::move(document));
}
/// As Go's %q prints it: in double quotes, with escapes.
[[nodiscard]] std::string in_quotes(std::string_view text);
/// As Go's filepath.Clean: "/a//b/../c/" -> "/a/c"; "" -> ".".
[[nodiscard]] std::string clean_path(std::string_view path);

}  // namespace nodeagent::runtime::containerd::oci
