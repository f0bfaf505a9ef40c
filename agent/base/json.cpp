#include "agent/base/json.hpp"

namespace nodeagent {

namespace {

constexpr int kMaxDepth = 200;

// nlohmann's parser is iterative, but destroying and walking a document recurses; refuse hostile nesting first.
bool too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        if (depth > kMaxDepth) return true;
    }
    return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
    if (too_deep(text)) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "invalid JSON: nested deeper than " + std::to_string(kMaxDepth) + " levels"};
    }
    // The library takes a NUL for the end of the text, whatever comes after it.
    if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
        return Error{.kind = ErrorKind::Malformed, .what = "invalid JSON at byte " + std::to_string(nul + 1)};
    }
    try {
        // in_place: a Json converts from nearly anything, so the plain conversion would be ambiguous
        return Result<Json>(boost::system::in_place_value, Json::parse(text));
    } catch (const Json::parse_error& e) {
        // The library's text quotes the input, which may hold a secret; the offset is enough to find the place.
        return Error{.kind = ErrorKind::Malformed, .what = "invalid JSON at byte " + std::to_string(e.byte)};
    } catch (const Json::exception&) {
        return Error{.kind = ErrorKind::Malformed, .what = "invalid JSON: a number is out of range"};
    }
}

std::string dump_json(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace); }
std::string dump_json(const OrderedJson& document) {
    return document.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

namespace json_detail {

Error mismatch(const std::string& path, std::string_view expected, const Json& found) {
    const std::string at = path.empty() ? "the document" : path;
    return {.kind = ErrorKind::Malformed,
            .what = at + ": expected " + std::string(expected) + ", got " +
                    (found.is_object() || found.is_array() ? "an " : "a ") + found.type_name()};
}

Error out_of_range(const std::string& path, const Json& found) {
    return {.kind = ErrorKind::Malformed,
            .what = (path.empty() ? "the document" : path) + ": " + found.dump() + " is out of range"};
}

const Json* member(const Json& object, std::string_view name) {
    const Json* found = nullptr;
    if (auto exact = object.find(std::string(name)); exact != object.end()) {
        found = &*exact;
    } else {
        for (const auto& [key, value] : object.items()) {
            if (equals_ignoring_case(key, name)) {
                found = &value;
                break;
            }
        }
    }
    return found == nullptr || found->is_null() ? nullptr : found;
}

}  // namespace json_detail

}  // namespace nodeagent
