#pragma once
// The envelope of both websockets, {"type": "...", "message": {...}} (control-plane.md 5.4).

#include <string>
#include <string_view>

#include "agent/base/json.hpp"

namespace nodeagent::model {

struct Envelope {
    std::string type;
    Json message;            ///< null when the sender wrote null
    bool text_only = false;  ///< came as {"<TypeName>": "<text>"}; `message` is that text
};

/// Malformed: not JSON, no type, or no message. The service writes some exceptions as a map of one string entry, which
/// counts when there is no type.
[[nodiscard]] Result<Envelope> open_envelope(std::string_view text);
/// The message member of a notice or exception; Malformed when it is no such shape.
[[nodiscard]] Result<std::string> notice_text(const Envelope& envelope);
[[nodiscard]] Error unknown_type(std::string_view type);

template <class T>
[[nodiscard]] std::string encode_envelope(const T& message) {
    OrderedJson envelope;
    envelope["type"] = std::string(T::kType);
    envelope["message"] = to_json_document(message);
    return dump_json(envelope);
}

}  // namespace nodeagent::model
