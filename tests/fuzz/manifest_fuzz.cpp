// Any bytes as the message of a task manifest and of the answer to a stop verification.
#include <variant>

#include "agent/base/json.hpp"
#include "agent/model/acs_messages.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using fuzz::require;

template <class T>
void check(std::string_view body) {
    const std::string type(T::kType);
    const std::string frame = R"({"type":")" + type + R"(","message":)" + std::string(body) + "}";
    const auto message = model::decode_acs_frame(frame);
    const auto document = parse_json(body);
    if (!message) {
        // JSON that is wrong in one place is told apart from what is no JSON
        const std::string& what = message.error().what;
        if (document) require(what.starts_with(type + ": "), "an error names the message and the path", what);
        return;
    }
    const T* decoded = std::get_if<T>(&*message);
    if (decoded == nullptr || !document || document->is_null()) return;  // the bytes closed the envelope themselves
    const std::string once = encode(*decoded);
    const auto again = decode<T>(once);
    require(again.has_value() && encode(*again) == once, "decoding what was encoded gives the same", once);
    Json more = *document;
    more["aMemberOfTheFuture"] = {{"deep", {1, 2, 3}}};
    const auto future = decode_document<T>(more);
    require(future.has_value() && encode(*future) == once, "unknown members change nothing", once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view body = fuzz::text_of(bytes, size);
    check<model::TaskManifestMessage>(body);
    check<model::TaskStopVerificationAck>(body);
    return 0;
}
