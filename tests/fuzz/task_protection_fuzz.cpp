// Any bytes as the body of a PUT of task protection: what is taken from it is taken again from what is written of it,
// and what follows the first value changes nothing.
#include <string>

#include "metadata/task_protection.hpp"
#include "tests/fuzz/fuzz.hpp"

using nodeagent::fuzz::require;
using nodeagent::metadata::parse_protection_request;
using nodeagent::metadata::ProtectionRequest;

namespace {

bool same(const ProtectionRequest& a, const ProtectionRequest& b) {
    return a.enabled == b.enabled && a.expires_in_minutes == b.expires_in_minutes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = nodeagent::fuzz::text_of(bytes, size);
    const auto taken = parse_protection_request(text);
    if (!taken) {
        require(!taken.error().what.empty(), "a refusal says why", text);
        return 0;
    }
    const auto followed = parse_protection_request(std::string(text) + "\n]} more");
    require(followed && same(*followed, *taken), "only the first value counts", text);
    std::string written = "{";
    if (taken->enabled) written += std::string("\"protectionenabled\":") + (*taken->enabled ? "true," : "false,");
    written += "\"ExpiresInMinutes\":";
    written += taken->expires_in_minutes ? std::to_string(*taken->expires_in_minutes) : "null";
    const auto again = parse_protection_request(written + "}");
    require(again && same(*again, *taken), "what was read reads back the same", written);
    return 0;
}
