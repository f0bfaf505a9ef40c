#include "agent/model/envelope.hpp"

namespace nodeagent::model {

namespace {
constexpr std::size_t kQuoted = 64;  // bytes of a foreign type name that an error text repeats
}

Result<Envelope> open_envelope(std::string_view text) {
    auto document = parse_json(text);
    if (!document) return std::move(document).error();
    if (!document->is_object()) return json_detail::mismatch("", "an object", *document);

    Envelope out;
    if (const Json* type = json_detail::member(*document, "type")) {
        if (!type->is_string()) return json_detail::mismatch("type", "a string", *type);
        out.type = type->get<std::string>();
    }
    if (out.type.empty()) {
        if (document->size() == 1 && document->begin()->is_string()) {
            out.type = document->begin().key();
            out.message = *document->begin();
            out.text_only = true;
            return out;
        }
        return Error{.kind = ErrorKind::Malformed, .what = "type: required, but missing"};
    }
    bool present = false;
    for (const auto& [key, value] : document->items()) {
        if (!equals_ignoring_case(key, "message")) continue;
        out.message = value;
        present = true;
        break;
    }
    if (!present) return Error{.kind = ErrorKind::Malformed, .what = "message: required, but missing"};
    return out;
}

Result<std::string> notice_text(const Envelope& envelope) {
    if (envelope.text_only) return envelope.message.get<std::string>();
    if (envelope.message.is_null()) return std::string{};
    if (!envelope.message.is_object()) return json_detail::mismatch("message", "an object", envelope.message);
    const Json* text = json_detail::member(envelope.message, "message");
    if (text == nullptr) return std::string{};
    if (!text->is_string()) return json_detail::mismatch("message.message", "a string", *text);
    return text->get<std::string>();
}

Error unknown_type(std::string_view type) {
    return {.kind = ErrorKind::NotFound, .what = "unknown message type " + truncated(type, kQuoted)};
}

}  // namespace nodeagent::model
