// An image's configuration: what is read has digests, bounds and a chain of its own.
#include "runtime/containerd/images/chain_ids.hpp"
#include "runtime/containerd/images/config_document.hpp"
#include "runtime/registry/manifest.hpp"
#include "runtime/registry/reference.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace nodeagent;
    using namespace nodeagent::runtime;
    using fuzz::require;
    const auto parsed = containerd::parse_config(fuzz::text_of(bytes, size));
    if (!parsed) {
        require(parsed.error().kind == ErrorKind::Malformed, "a bad configuration is malformed", parsed.error().what);
        return 0;
    }
    require(registry::is_digest(parsed->config.id), "an id is a digest", parsed->config.id);
    require(parsed->diff_ids.size() <= registry::kMaxLayers, "layers are bounded");
    const auto chain = containerd::chain_ids(parsed->diff_ids);
    require(parsed->config.chain_id == (chain.empty() ? std::string() : chain.back()), "the chain is the layers'");
    return 0;
}
