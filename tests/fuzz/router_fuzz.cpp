// Whatever a container sends as a target: it is decoded, cleaned and matched without a fault, and cleaning is
// idempotent.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "metadata/router.hpp"
#include "metadata/url_path.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace nodeagent::metadata;
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    const auto target = parse_target(text);
    if (!target) return 0;
    const std::string clean = clean_path(target->path);
    if (!is_clean_path(clean) || clean_path(clean) != clean) std::abort();
    const auto again = parse_target(escape_path(clean));
    if (!again || again->path != clean) std::abort();
    Captures captures;
    for (const std::string_view pattern : {"/v2/credentials/**", "/v2/metadata/++", "/v3/*", "/v3/*/task/stats",
                                           "/v4/*/associations/*/++", "/api/*/task-protection/v1/state"}) {
        (void)matches(pattern, target->path, captures);
    }
    return 0;
}
