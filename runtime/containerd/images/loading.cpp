// ImageStore: images that come as an archive.

#include <string>
#include <utility>

#include "runtime/containerd/images/blob_keeper.hpp"
#include "runtime/containerd/images/image_archive_reader.hpp"
#include "runtime/containerd/images/image_store_state.hpp"
#include "runtime/containerd/images/unpacker.hpp"
#include "runtime/registry/digest.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::chrono::hours kLongestLoad{1};

}  // namespace

Result<void> ImageStore::State::load(const ArchivedImage& image, const std::string& lease) {
    auto chosen = choose_snapshotter();
    if (!chosen) return std::move(chosen).error();
    const std::stop_token never;
    BlobKeeper blobs(*client, work);
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
        auto kept = blobs.keep("layer", image.layers[i], image.parsed.layers[i].digest, {}, lease, never);
        if (!kept) return kept;
    }
    Labels labels;
    if (!image.document.config.chain_id.empty()) {
        labels["containerd.io/gc.ref.snapshot." + *chosen] = image.document.config.chain_id;
    }
    auto kept = blobs.keep("config", image.config, image.parsed.config.digest, labels, lease, never);
    if (!kept) return kept;
    labels = {{"containerd.io/gc.ref.content.config", image.parsed.config.digest}};
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
        labels["containerd.io/gc.ref.content.l." + std::to_string(i)] = image.parsed.layers[i].digest;
    }
    const Descriptor target{.media_type = image.manifest_type,
                            .digest = registry::digest_of(image.manifest),
                            .size = static_cast<std::int64_t>(image.manifest.size())};
    kept = blobs.keep("manifest", image.manifest, target.digest, labels, lease, never);
    if (!kept) return kept;
    Unpacker unpacker(*client, work, *chosen);
    auto unpacked = unpacker.unpack(image.parsed.layers, image.document.diff_ids, lease, never);
    if (!unpacked) return unpacked;
    std::vector<std::string> names = image.names;
    if (names.empty()) names.push_back(image.document.config.id);  // something has to lead to it
    for (const std::string& name : names) {
        if (auto put = client->put_image({.name = name, .labels = {}, .target = target}); !put) return put;
    }
    return {};
}

Result<void> ImageStore::load_image(std::string_view archive) {
    auto images = read_image_archive(archive);
    if (!images) return std::move(images).error();
    for (const ArchivedImage& image : *images) {
        const std::string& id = image.document.config.id;
        auto lease = state_->leases.take(id, kLongestLoad);
        if (!lease) return std::move(lease).error();
        auto loaded = state_->load(image, *lease);
        state_->leases.give_back(id, *lease, false);
        if (!loaded) return loaded;
    }
    return {};
}

}  // namespace nodeagent::runtime::containerd
