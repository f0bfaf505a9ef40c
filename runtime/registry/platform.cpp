#include "runtime/registry/platform.hpp"

#include <limits>
#include <string_view>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::registry {

namespace {

std::string normal_architecture(std::string_view name) {
    const std::string word = lower(name);
    if (word == "x86_64" || word == "x86-64") return "amd64";
    if (word == "aarch64") return "arm64";
    if (word == "armhf" || word == "armel") return "arm";
    return word;
}

/// "v8" -> 8; what an architecture's images mean that say nothing.
int variant_number(const std::string& architecture, std::string_view variant) {
    if (variant.empty()) return architecture == "arm64" ? 8 : architecture == "arm" ? 7 : 1;
    if (variant.starts_with('v')) variant.remove_prefix(1);
    return static_cast<int>(
        parse_integer(variant.substr(0, variant.find('.'))).value_or(std::numeric_limits<int>::max()));
}

/// Below zero: cannot run. Else the higher, the better.
int fitness(const Platform& offered, const Platform& wanted) {
    if (lower(offered.os) != wanted.os) return -1;
    const std::string architecture = normal_architecture(offered.architecture);
    if (architecture != wanted.architecture) return -1;
    const int has = variant_number(architecture, offered.variant);
    const int can = variant_number(architecture, wanted.variant);
    if (has > can) return architecture == "amd64" ? 0 : -1;  // Docker takes it, if there is nothing better
    return has;
}

std::string platform_text(const Platform& platform) {
    std::string text = platform.os + "/" + platform.architecture;
    if (!platform.variant.empty()) text += "/" + platform.variant;
    return text;
}

}  // namespace

Platform this_platform() {
#if defined(__aarch64__)
    return {.os = "linux", .architecture = kThisArchitecture, .variant = "v8"};
#else
    return {.os = "linux", .architecture = kThisArchitecture, .variant = {}};
#endif
}

Result<BlobDescriptor> choose_platform(const Index& index, const Platform& wanted) {
    const IndexEntry* best = nullptr;
    int best_fitness = -1;
    const IndexEntry* only = nullptr;
    std::size_t images = 0;
    for (const IndexEntry& entry : index.entries) {
        if (entry.attestation) continue;
        ++images;
        if (entry.platform == Platform{}) only = &entry;
        const int fits = fitness(entry.platform, wanted);
        if (fits > best_fitness) {
            best = &entry;
            best_fitness = fits;
        }
    }
    if (best == nullptr && images == 1) best = only;
    if (best == nullptr) {
        return Error{.kind = ErrorKind::NotFound,
                     .what = "no matching manifest for " + platform_text(wanted) + " in the manifest list entries"};
    }
    return best->manifest;
}

}  // namespace nodeagent::runtime::registry
