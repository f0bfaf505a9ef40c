#include "runtime/registry/manifest.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/registry/bounded_json.hpp"
#include "runtime/registry/reference.hpp"

namespace nodeagent::runtime::registry {

namespace {

constexpr std::array<std::string_view, 2> kConfigTypes{"application/vnd.docker.container.image.v1+json",
                                                       "application/vnd.oci.image.config.v1+json"};
constexpr std::array<std::string_view, 6> kLayerTypes{"application/vnd.docker.image.rootfs.diff.tar.gzip",
                                                      "application/vnd.docker.image.rootfs.diff.tar",
                                                      "application/vnd.docker.image.rootfs.diff.tar.zstd",
                                                      "application/vnd.oci.image.layer.v1.tar+gzip",
                                                      "application/vnd.oci.image.layer.v1.tar",
                                                      "application/vnd.oci.image.layer.v1.tar+zstd"};

struct WirePlatform {
    std::string os, architecture, variant;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("os", &WirePlatform::os),
                          optional_field("architecture", &WirePlatform::architecture),
                          optional_field("variant", &WirePlatform::variant)};
    }
};

struct WireDescriptor {
    std::string media_type, digest;
    std::int64_t size = 0;
    WirePlatform platform;
    Json annotations;
    static constexpr auto json_fields() {
        return std::tuple{
            optional_field("mediaType", &WireDescriptor::media_type), required_field("digest", &WireDescriptor::digest),
            required_field("size", &WireDescriptor::size), optional_field("platform", &WireDescriptor::platform),
            optional_field("annotations", &WireDescriptor::annotations)};
    }
};

struct WireManifest {
    int schema_version = 0;
    std::string media_type;
    std::optional<WireDescriptor> config;
    std::optional<std::vector<WireDescriptor>> layers, manifests;
    static constexpr auto json_fields() {
        return std::tuple{
            optional_field("schemaVersion", &WireManifest::schema_version),
            optional_field("mediaType", &WireManifest::media_type), optional_field("config", &WireManifest::config),
            optional_field("layers", &WireManifest::layers), optional_field("manifests", &WireManifest::manifests)};
    }
};

Error malformed(std::string what) { return {.kind = ErrorKind::Malformed, .what = std::move(what)}; }

bool is_manifest_type(std::string_view type) { return type == kDockerManifest || type == kOciManifest; }
bool is_index_type(std::string_view type) { return type == kDockerIndex || type == kOciIndex; }

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& all, std::string_view one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

/// A piece of a hostile document, fit for an error text.
std::string in_quotes(std::string_view text) { return "\"" + valid_utf8(truncated(text, 128)) + "\""; }

Result<BlobDescriptor> descriptor(const WireDescriptor& in, const char* of, std::int64_t largest) {
    if (!is_digest(in.digest)) {
        return malformed("the " + std::string(of) + " has the digest " + in_quotes(in.digest) +
                         ", which is none of sha256");
    }
    if (in.size < 0 || in.size > largest) {
        return malformed("the " + std::string(of) + " is said to have " + std::to_string(in.size) + " bytes; " +
                         std::to_string(largest) + " are allowed");
    }
    return BlobDescriptor{.media_type = in.media_type, .digest = in.digest, .size = in.size};
}

Error schema_1() {
    return malformed(
        "the image has a manifest of schema 1, a format that is no longer supported: push it again with a current "
        "version of Docker");
}

Result<Manifest> manifest(const WireManifest& in, std::string_view type) {
    if (!in.config || !in.layers) return malformed("the manifest lacks its config or its layers");
    if (in.layers->size() > kMaxLayers) {
        return malformed("the image has " + std::to_string(in.layers->size()) + " layers; " +
                         std::to_string(kMaxLayers) + " are the most a host can take");
    }
    if (!contains(kConfigTypes, in.config->media_type)) {
        return malformed("unsupported media type " + in_quotes(in.config->media_type) +
                         " of the configuration: this is no container image");
    }
    Manifest out;
    out.media_type = std::string(type);
    auto config = descriptor(*in.config, "configuration", static_cast<std::int64_t>(kMaxConfig));
    if (!config) return std::move(config).error();
    out.config = *std::move(config);
    for (const WireDescriptor& layer : *in.layers) {
        if (!contains(kLayerTypes, layer.media_type)) {
            return malformed("unsupported media type " + in_quotes(layer.media_type) +
                             " of a layer: only tar archives, plain or compressed by gzip or zstd, that the registry "
                             "itself holds can be pulled");
        }
        auto read = descriptor(layer, "layer", kMaxLayerSize);
        if (!read) return std::move(read).error();
        out.layers.push_back(*std::move(read));
    }
    return out;
}

Result<Index> index(const WireManifest& in, std::string_view type) {
    if (!in.manifests) return malformed("the manifest list lacks its manifests");
    if (in.manifests->size() > kMaxIndexEntries) {
        return malformed("the manifest list has " + std::to_string(in.manifests->size()) + " entries; " +
                         std::to_string(kMaxIndexEntries) + " are allowed");
    }
    Index out;
    out.media_type = std::string(type);
    for (const WireDescriptor& entry : *in.manifests) {
        // what is no manifest (a signature, say) is none of our business, nor whether it is well-formed
        const bool known =
            entry.media_type.empty() || is_manifest_type(entry.media_type) || is_index_type(entry.media_type);
        if (!known) continue;
        auto read = descriptor(entry, "manifest list's entry", static_cast<std::int64_t>(kMaxManifest));
        if (!read) return std::move(read).error();
        const bool attestation =
            entry.annotations.is_object() && entry.annotations.contains("vnd.docker.reference.type");
        out.entries.push_back({.manifest = *std::move(read),
                               .platform = {.os = entry.platform.os,
                                            .architecture = entry.platform.architecture,
                                            .variant = entry.platform.variant},
                               .attestation = attestation});
    }
    return out;
}

}  // namespace

bool is_schema_1(std::string_view media_type) {
    return media_type == "application/vnd.docker.distribution.manifest.v1+json" ||
           media_type == "application/vnd.docker.distribution.manifest.v1+prettyjws";
}

Result<std::variant<Manifest, Index>> parse_manifest(std::string_view media_type, std::string_view body) {
    const std::string type = lower(trimmed(media_type.substr(0, media_type.find(';'))));
    if (is_schema_1(type)) return schema_1();
    Result<Json> document = parse_bounded("the manifest", body, {.bytes = kMaxManifest});
    if (!document) return std::move(document).error();
    Result<WireManifest> decoded = decode_document<WireManifest>(*document);
    if (!decoded) return malformed("the manifest cannot be read: " + decoded.error().what);
    const WireManifest& in = *decoded;
    if (in.schema_version == 1) return schema_1();

    // A document that could be read as either is an attack on whoever reads it the other way.
    if (in.manifests && (in.layers || in.config)) return malformed("the manifest is a manifest list as well");
    const bool typed = is_manifest_type(type) || is_index_type(type);
    if (typed && !in.media_type.empty() && in.media_type != type) {
        return malformed("the registry calls the manifest " + in_quotes(type) + ", the manifest itself " +
                         in_quotes(in.media_type));
    }
    const std::string_view known = typed ? std::string_view(type) : std::string_view(in.media_type);
    if (is_manifest_type(known)) {
        auto read = manifest(in, known);
        if (!read) return std::move(read).error();
        return std::variant<Manifest, Index>(*std::move(read));
    }
    if (is_index_type(known)) {
        auto read = index(in, known);
        if (!read) return std::move(read).error();
        return std::variant<Manifest, Index>(*std::move(read));
    }
    if (known.empty() && in.manifests) {
        auto read = index(in, kOciIndex);
        if (!read) return std::move(read).error();
        return std::variant<Manifest, Index>(*std::move(read));
    }
    if (known.empty() && in.layers) {
        auto read = manifest(in, kOciManifest);
        if (!read) return std::move(read).error();
        return std::variant<Manifest, Index>(*std::move(read));
    }
    return malformed("unsupported media type " + in_quotes(known.empty() ? type : known) + " of the manifest");
}

}  // namespace nodeagent::runtime::registry
