#pragma once
// Images made for tests: layers, configuration and manifest as a registry has them.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/json.hpp"
#include "runtime/registry/digest.hpp"
#include "runtime/registry/manifest.hpp"
#include "runtime/registry/platform.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/harness/gzipped.hpp"

namespace nodeagent::fakes {

struct MadeLayer {
    std::string blob;
    std::string media_type;
    std::string diff_id;
};

inline MadeLayer plain_layer(const std::string& tar) {
    return {.blob = tar,
            .media_type = "application/vnd.oci.image.layer.v1.tar",
            .diff_id = runtime::registry::digest_of(tar)};
}

inline MadeLayer gzip_layer(const std::string& tar) {
    return {.blob = test::gzipped(tar),
            .media_type = "application/vnd.docker.image.rootfs.diff.tar.gzip",
            .diff_id = runtime::registry::digest_of(tar)};
}

/// By the zstd program.
inline MadeLayer zstd_layer(const std::string& tar) {
    const TempDirectory folder;
    std::ofstream(folder + "/layer", std::ios::binary) << tar;
    if (std::system(("zstd -q " + folder.path() + "/layer").c_str()) != 0) {
        throw std::runtime_error("zstd does not work: apt-get install zstd");
    }
    std::ifstream packed(folder + "/layer.zst", std::ios::binary);
    return {.blob = std::string(std::istreambuf_iterator<char>(packed), {}),
            .media_type = "application/vnd.oci.image.layer.v1.tar+zstd",
            .diff_id = runtime::registry::digest_of(tar)};
}

struct MadeImage {
    std::vector<MadeLayer> layers;
    std::string config;
    std::string manifest;
    std::string manifest_type;

    [[nodiscard]] std::string id() const { return runtime::registry::digest_of(config); }
    [[nodiscard]] std::string digest() const { return runtime::registry::digest_of(manifest); }
};

inline Json descriptor_of(const std::string& media_type, const std::string& bytes) {
    return {{"mediaType", media_type}, {"digest", runtime::registry::digest_of(bytes)}, {"size", bytes.size()}};
}

/// The manifest's type follows the layers'. `run_config` is the configuration's own "config".
inline MadeImage make_image(std::vector<MadeLayer> layers, Json run_config = Json::object()) {
    const bool oci = !layers.empty() && layers.front().media_type.find("oci") != std::string::npos;
    MadeImage out;
    Json config = {{"architecture", runtime::registry::kThisArchitecture},
                   {"os", "linux"},
                   {"created", "2026-01-02T03:04:05Z"},
                   {"config", std::move(run_config)},
                   {"rootfs", {{"type", "layers"}, {"diff_ids", Json::array()}}}};
    for (const MadeLayer& layer : layers) config["rootfs"]["diff_ids"].push_back(layer.diff_id);
    out.config = dump_json(config);
    out.manifest_type =
        oci ? std::string(runtime::registry::kOciManifest) : std::string(runtime::registry::kDockerManifest);
    Json manifest = {{"schemaVersion", 2},
                     {"mediaType", out.manifest_type},
                     {"config", descriptor_of(oci ? "application/vnd.oci.image.config.v1+json"
                                                  : "application/vnd.docker.container.image.v1+json",
                                              out.config)},
                     {"layers", Json::array()}};
    for (const MadeLayer& layer : layers) manifest["layers"].push_back(descriptor_of(layer.media_type, layer.blob));
    out.manifest = dump_json(manifest);
    out.layers = std::move(layers);
    return out;
}

/// A manifest list of `image` for this machine, and of something for another.
inline std::string make_index(const MadeImage& image) {
    Json other = descriptor_of(image.manifest_type, "{}");
    other["platform"] = {{"os", "linux"}, {"architecture", "s390x"}};
    Json attestation = descriptor_of(std::string(runtime::registry::kOciManifest), "[]");
    attestation["platform"] = {{"os", "unknown"}, {"architecture", "unknown"}};
    attestation["annotations"] = {{"vnd.docker.reference.type", "attestation-manifest"}};
    Json own = descriptor_of(image.manifest_type, image.manifest);
    own["platform"] = {{"os", "linux"}, {"architecture", runtime::registry::kThisArchitecture}};
    return dump_json(Json{{"schemaVersion", 2},
                          {"mediaType", runtime::registry::kOciIndex},
                          {"manifests", Json::array({other, attestation, own})}});
}

}  // namespace nodeagent::fakes
