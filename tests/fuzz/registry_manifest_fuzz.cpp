// A manifest or index as a registry may send it: what is read keeps the bounds, whatever the type it is said to have.
#include <variant>

#include "runtime/registry/manifest.hpp"
#include "runtime/registry/platform.hpp"
#include "runtime/registry/reference.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using namespace nodeagent::runtime;
using fuzz::require;

void check_manifest(std::string_view type, std::string_view body) {
    const auto parsed = registry::parse_manifest(type, body);
    if (!parsed) {
        require(parsed.error().kind == ErrorKind::Malformed, "a bad manifest is malformed", parsed.error().what);
        require(parsed.error().what.size() < 1024, "an error text is short", parsed.error().what);
        return;
    }
    if (const auto* manifest = std::get_if<registry::Manifest>(&*parsed)) {
        require(manifest->layers.size() <= registry::kMaxLayers, "layers are bounded");
        require(registry::is_digest(manifest->config.digest), "digests are digests", manifest->config.digest);
        for (const auto& layer : manifest->layers) {
            require(registry::is_digest(layer.digest), "digests are digests", layer.digest);
            require(layer.size >= 0 && layer.size <= registry::kMaxLayerSize, "sizes are bounded");
        }
        return;
    }
    const auto& index = std::get<registry::Index>(*parsed);
    require(index.entries.size() <= registry::kMaxIndexEntries, "entries are bounded");
    (void)registry::choose_platform(index, registry::this_platform());
    (void)registry::choose_platform(index, {.os = "linux", .architecture = "arm", .variant = "v7"});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view body = fuzz::text_of(bytes, size);
    for (const std::string_view type : {std::string_view(), registry::kDockerManifest, registry::kOciIndex}) {
        check_manifest(type, body);
    }
    return 0;
}
