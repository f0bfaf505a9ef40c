#include "runtime/containerd/images/catalog.hpp"

#include <utility>

#include "agent/base/log.hpp"
#include "runtime/containerd/images/chain_ids.hpp"
#include "runtime/registry/platform.hpp"

namespace nodeagent::runtime::containerd {

namespace {

/// More images than a host has; then all are forgotten and read again.
constexpr std::size_t kMostKnown = 500;
constexpr std::size_t kMostSizes = 20000;

}  // namespace

Result<std::shared_ptr<const KnownImage>> Catalog::load(const Descriptor& target) {
    Descriptor document = target;
    for (int depth = 0;; ++depth) {
        auto body = client_.read_content(document.digest, registry::kMaxManifest);
        if (!body) return std::move(body).error();
        auto parsed = registry::parse_manifest(document.media_type, *body);
        if (!parsed) return std::move(parsed).error();
        if (auto* manifest = std::get_if<registry::Manifest>(&*parsed)) {
            auto config = client_.read_content(manifest->config.digest, registry::kMaxConfig);
            if (!config) return std::move(config).error();
            auto read = parse_config(*config);
            if (!read) return std::move(read).error();
            auto image = std::make_shared<KnownImage>();
            image->manifest = std::move(*manifest);
            image->document = *std::move(read);
            return std::shared_ptr<const KnownImage>(std::move(image));
        }
        if (depth == registry::kMaxIndexDepth) {
            return Error{.kind = ErrorKind::Malformed, .what = "the image's manifest lists are nested too deeply"};
        }
        auto chosen = registry::choose_platform(std::get<registry::Index>(*parsed), registry::this_platform());
        if (!chosen) return std::move(chosen).error();
        document = {.media_type = chosen->media_type, .digest = chosen->digest, .size = chosen->size};
    }
}

Result<std::shared_ptr<const KnownImage>> Catalog::read(const Descriptor& target) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = known_.find(target.digest); found != known_.end()) return found->second;
    }
    auto image = load(target);
    if (!image) return image;
    const std::lock_guard lock(mutex_);
    if (known_.size() >= kMostKnown) known_.clear();
    known_[target.digest] = *image;
    return image;
}

Result<std::vector<NamedImage>> Catalog::all() {
    auto records = client_.list_images();
    if (!records) return std::move(records).error();
    std::vector<NamedImage> out;
    for (Image& record : *records) {
        auto image = read(record.target);
        if (image) {
            out.push_back({.record = std::move(record), .image = *std::move(image)});
            continue;
        }
        if (image.error().kind == ErrorKind::Unavailable || image.error().kind == ErrorKind::Timeout) {
            return std::move(image).error();
        }
        log::debug("an image record leads to no image", {{"image", record.name}, {"cause", image.error().what}});
    }
    return out;
}

Result<std::int64_t> Catalog::size_of(const KnownImage& image, const std::string& snapshotter) {
    const std::vector<std::string> chain = chain_ids(image.document.diff_ids);
    std::int64_t total = 0;
    for (std::size_t i = 0; i < chain.size(); ++i) {
        {
            const std::lock_guard lock(mutex_);
            if (const auto found = sizes_.find(chain[i]); found != sizes_.end()) {
                total += found->second;
                continue;
            }
        }
        auto usage = client_.snapshot_usage(snapshotter, chain[i]);
        if (!usage && usage.error().kind != ErrorKind::NotFound) return std::move(usage).error();
        if (!usage) {
            total += i < image.manifest.layers.size() ? image.manifest.layers[i].size : 0;
            continue;
        }
        total += *usage;
        const std::lock_guard lock(mutex_);
        if (sizes_.size() >= kMostSizes) sizes_.clear();
        sizes_[chain[i]] = *usage;
    }
    return total;
}

}  // namespace nodeagent::runtime::containerd
