// dockerConfig of a payload: config and hostConfig, two JSON texts with a NUL between them.
#include "agent/base/json.hpp"
#include "agent/engine/spec/docker_documents.hpp"
#include "runtime/docker/mapping.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using fuzz::require;

using Merge = Result<void> (*)(Json& document, std::string_view text);

/// What the agent computed, in part.
Json computed_config() {
    return Json{{"Image", "busybox"}, {"Cmd", {"sh"}}, {"Env", {"A=1"}}, {"ExposedPorts", Json::object()}};
}
Json computed_host_config() {
    return Json{{"Binds", {"/a:/b"}}, {"Memory", 4194304}, {"CpuShares", 2}, {"PortBindings", Json::object()}};
}

/// The document merged over an empty one; null when it is refused.
Json check(Merge merge, std::string_view text, Json computed) {
    Json alone = Json::object();
    if (const auto merged = merge(alone, text); !merged) {
        const std::string& what = merged.error().what;
        require(what.starts_with("invalid JSON") || what.find(": expected ") != std::string::npos,
                "an error names the path or says that it is no JSON", what);
        require(!merge(computed, text).has_value(), "what is refused is refused over any document", what);
        return nullptr;
    }
    require(merge(computed, text).has_value(), "what is taken is taken over any document", text);
    require(computed.is_object(), "a document stays an object");
    const std::string once = dump_json(alone);
    Json again = Json::object();
    const auto merged = merge(again, once);
    require(merged.has_value() && again == alone, "merging what came out gives the same", once + "\n" + again.dump());
    return alone;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view input = fuzz::text_of(bytes, size);
    const std::size_t nul = input.find('\0');
    const std::string_view host_text = nul == std::string_view::npos ? std::string_view() : input.substr(nul + 1);
    runtime::ContainerSpec spec;
    spec.config = check(engine::merge_config, input.substr(0, nul), computed_config());
    spec.host_config = check(engine::merge_host_config, host_text, computed_host_config());
    const std::string body = runtime::docker::create_body(spec);
    const auto document = parse_json(body);
    require(document.has_value() && document->at("HostConfig").is_object(), "the body of a create call is JSON", body);
    return 0;
}
