#include "runtime/registry/bounded_json.hpp"

#include <string>

#include "agent/base/json.hpp"

namespace nodeagent::runtime::registry {

namespace {

Error too_much(std::string_view what, std::string_view how) {
    return {.kind = ErrorKind::Malformed, .what = std::string(what) + " " + std::string(how)};
}

}  // namespace

Result<nlohmann::json> parse_bounded(std::string_view what, std::string_view text, const JsonBounds& bounds) {
    if (text.size() > bounds.bytes) {
        return too_much(what, "has more than the " + std::to_string(bounds.bytes) + " bytes that are allowed");
    }
    std::size_t depth = 0;
    std::size_t values = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c == '{' || c == '[') {
            if (++depth > bounds.depth) return too_much(what, "is nested too deeply");
        }
        if ((c == '}' || c == ']') && depth > 0) --depth;
        if (c == ',' || c == '{' || c == '[') {
            if (++values > bounds.values) return too_much(what, "has too many members");
        }
    }
    Result<Json> document = parse_json(text);
    if (!document) return too_much(what, "is no JSON: " + document.error().what);
    return document;
}

}  // namespace nodeagent::runtime::registry
