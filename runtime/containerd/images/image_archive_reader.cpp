#include "runtime/containerd/images/image_archive_reader.hpp"

#include <map>
#include <utility>

#include "agent/base/json.hpp"
#include "runtime/containerd/images/tar_reader.hpp"
#include "runtime/registry/bounded_json.hpp"
#include "runtime/registry/digest.hpp"
#include "runtime/registry/platform.hpp"
#include "runtime/registry/reference.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using Files = std::map<std::string, TarFile>;

constexpr std::size_t kMostImages = 100;
/// containerd finds out itself whether such a layer is compressed.
constexpr const char* kLayerType = "application/vnd.docker.image.rootfs.diff.tar";
constexpr const char* kConfigType = "application/vnd.docker.container.image.v1+json";

Error broken_archive(const std::string& why) {
    return {.kind = ErrorKind::Malformed, .what = "the image archive cannot be read: " + why};
}

/// An absent file of an archive makes the archive bad, not the request.
Result<std::string_view> part(const Files& files, const std::string& name) {
    auto content = content_of(files, name);
    if (!content) return broken_archive("it lacks the file " + name);
    return content;
}

struct SavedImage {
    std::string config;
    std::vector<std::string> repo_tags, layers;
    static constexpr auto json_fields() {
        using T = SavedImage;
        return std::tuple{required_field("Config", &T::config), optional_field("RepoTags", &T::repo_tags),
                          optional_field("Layers", &T::layers)};
    }
};

struct LayoutEntry {
    std::string media_type, digest;
    std::map<std::string, std::string> annotations;
    static constexpr auto json_fields() {
        using T = LayoutEntry;
        return std::tuple{optional_field("mediaType", &T::media_type), required_field("digest", &T::digest),
                          optional_field("annotations", &T::annotations)};
    }
};

struct LayoutIndex {
    std::vector<LayoutEntry> manifests;
    static constexpr auto json_fields() { return std::tuple{required_field("manifests", &LayoutIndex::manifests)}; }
};

Result<std::string> record_name(const std::string& text) {
    auto reference = registry::parse_reference(text);
    if (!reference) return std::move(reference).error();
    return reference->record();
}

OrderedJson descriptor_json(const registry::BlobDescriptor& blob) {
    return {{"mediaType", blob.media_type}, {"size", blob.size}, {"digest", blob.digest}};
}

Result<ArchivedImage> saved_image(const Files& files, const SavedImage& saved) {
    ArchivedImage out;
    for (const std::string& tag : saved.repo_tags) {
        auto name = record_name(tag);
        if (!name) return broken_archive("RepoTags: " + name.error().what);
        out.names.push_back(*std::move(name));
    }
    auto config = part(files, saved.config);
    if (!config) return std::move(config).error();
    auto document = parse_config(*config);
    if (!document) return std::move(document).error();
    if (document->diff_ids.size() != saved.layers.size()) {
        return broken_archive("its image has " + std::to_string(saved.layers.size()) + " layers, its configuration " +
                              std::to_string(document->diff_ids.size()));
    }
    out.config = *config;
    out.document = *std::move(document);
    out.manifest_type = registry::kDockerManifest;
    out.parsed.media_type = out.manifest_type;
    out.parsed.config = {.media_type = kConfigType,
                         .digest = out.document.config.id,
                         .size = static_cast<std::int64_t>(out.config.size())};
    for (const std::string& name : saved.layers) {
        auto layer = part(files, name);
        if (!layer) return std::move(layer).error();
        out.layers.push_back(*layer);
        out.parsed.layers.push_back({.media_type = kLayerType,
                                     .digest = registry::digest_of(*layer),
                                     .size = static_cast<std::int64_t>(layer->size())});
    }
    OrderedJson manifest{{"schemaVersion", 2}, {"mediaType", out.manifest_type}};
    manifest["config"] = descriptor_json(out.parsed.config);
    manifest["layers"] = OrderedJson::array();
    for (const registry::BlobDescriptor& layer : out.parsed.layers)
        manifest["layers"].push_back(descriptor_json(layer));
    out.manifest = dump_json(manifest);
    return out;
}

Result<std::string_view> layout_blob(const Files& files, const std::string& digest) {
    if (!registry::is_digest(digest)) return broken_archive("a digest is none of sha256");
    auto content = part(files, "blobs/sha256/" + digest.substr(7));
    if (content && registry::digest_of(*content) != digest) return broken_archive(digest + " is not what it is called");
    return content;
}

Result<ArchivedImage> layout_image(const Files& files, const LayoutEntry& entry) {
    ArchivedImage out;
    const auto annotation = [&entry](const char* key) {
        const auto found = entry.annotations.find(key);
        return found == entry.annotations.end() ? std::string() : found->second;
    };
    std::string name = annotation("io.containerd.image.name");
    if (name.empty()) name = annotation("org.opencontainers.image.ref.name");
    if (!name.empty()) {
        auto record = record_name(name);
        if (!record) return broken_archive("index.json: " + record.error().what);
        out.names.push_back(*std::move(record));
    }
    registry::BlobDescriptor document{.media_type = entry.media_type, .digest = entry.digest, .size = 0};
    for (int depth = 0;; ++depth) {
        auto body = layout_blob(files, document.digest);
        if (!body) return std::move(body).error();
        auto parsed = registry::parse_manifest(document.media_type, *body);
        if (!parsed) return std::move(parsed).error();
        if (auto* manifest = std::get_if<registry::Manifest>(&*parsed)) {
            out.manifest = std::string(*body);
            out.parsed = std::move(*manifest);
            out.manifest_type = out.parsed.media_type;
            break;
        }
        if (depth == registry::kMaxIndexDepth) return broken_archive("its manifest lists are nested too deeply");
        auto chosen = registry::choose_platform(std::get<registry::Index>(*parsed), registry::this_platform());
        if (!chosen) return std::move(chosen).error();
        document = *std::move(chosen);
    }
    auto config = layout_blob(files, out.parsed.config.digest);
    if (!config) return std::move(config).error();
    auto read = parse_config(*config);
    if (!read) return std::move(read).error();
    out.config = *config;
    out.document = *std::move(read);
    for (const registry::BlobDescriptor& layer : out.parsed.layers) {
        auto content = layout_blob(files, layer.digest);
        if (!content) return std::move(content).error();
        out.layers.push_back(*content);
    }
    return out;
}

}  // namespace

Result<std::vector<ArchivedImage>> read_image_archive(std::string_view archive) {
    auto files = read_tar(archive);
    if (!files) return std::move(files).error();
    std::vector<ArchivedImage> out;
    const bool saved = files->contains("manifest.json");
    auto text = part(*files, saved ? "manifest.json" : "index.json");
    if (!text) return broken_archive("it has neither manifest.json nor index.json");
    auto document = registry::parse_bounded("the archive's list of images", *text, {.bytes = registry::kMaxManifest});
    if (!document) return std::move(document).error();
    if (saved) {
        auto list = decode_document<std::vector<SavedImage>>(*document);
        if (!list) return broken_archive("manifest.json: " + list.error().what);
        if (list->size() > kMostImages) return broken_archive("it has too many images");
        for (const SavedImage& one : *list) {
            auto image = saved_image(*files, one);
            if (!image) return std::move(image).error();
            out.push_back(*std::move(image));
        }
    } else {
        auto index = decode_document<LayoutIndex>(*document);
        if (!index) return broken_archive("index.json: " + index.error().what);
        if (index->manifests.size() > kMostImages) return broken_archive("it has too many images");
        for (const LayoutEntry& one : index->manifests) {
            auto image = layout_image(*files, one);
            if (!image) return std::move(image).error();
            out.push_back(*std::move(image));
        }
    }
    if (out.empty()) return broken_archive("it has no image");
    return out;
}

}  // namespace nodeagent::runtime::containerd
