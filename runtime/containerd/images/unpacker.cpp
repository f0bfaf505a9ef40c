#include "runtime/containerd/images/unpacker.hpp"

#include <utility>

#include "agent/base/strings.hpp"
#include "runtime/containerd/images/chain_ids.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr const char* kSnapshotRef = "containerd.io/snapshot.ref";
constexpr const char* kUncompressed = "containerd.io/uncompressed";
constexpr int kTries = 3;

/// Docker has a type for zstd that containerd does not know; the OCI one means the same.
Descriptor unpackable(const registry::BlobDescriptor& layer) {
    Descriptor out{.media_type = layer.media_type, .digest = layer.digest, .size = layer.size};
    if (out.media_type == "application/vnd.docker.image.rootfs.diff.tar.zstd") {
        out.media_type = "application/vnd.oci.image.layer.v1.tar+zstd";
    }
    return out;
}

/// Docker's words. What the archive's own fault is will be so the next time, too.
Error of_unpacking(Error error) {
    if (error.kind != ErrorKind::Internal && error.kind != ErrorKind::Malformed) return error;
    for (const char* fault :
         {"gzip", "flate", "zstd", "magic", "archive/tar", "unexpected EOF", "breakout", "invalid"}) {
        if (error.what.find(fault) != std::string::npos) error.kind = ErrorKind::Malformed;
    }
    error.what = "failed to register layer: " + error.what;
    return error;
}

}  // namespace

Result<bool> Unpacker::is_there(const std::string& chain_id) {
    auto info = client_.stat_snapshot(snapshotter_, chain_id);
    if (info) return info->kind == SnapshotInfo::Kind::Committed;
    if (info.error().kind == ErrorKind::NotFound) return false;
    return std::move(info).error();
}

Result<void> Unpacker::unpack_layer(const registry::BlobDescriptor& layer, const std::string& diff_id,
                                    const std::string& parent, const std::string& chain_id, const std::string& lease,
                                    const std::stop_token& stop) {
    const auto turn = work_.take("snapshot/" + snapshotter_ + "/" + chain_id, stop);
    if (!turn) return Error{.kind = ErrorKind::Unavailable, .what = "context canceled"};
    for (int tries = 1;; ++tries) {
        const auto there = is_there(chain_id);
        if (!there) return there.error();
        if (*there) return {};
        const std::string key = "extract-" + uuid4() + " " + chain_id;
        auto mounts = client_.prepare_snapshot(snapshotter_, key, parent, {{kSnapshotRef, chain_id}}, lease);
        if (!mounts) {
            if (mounts.error().kind == ErrorKind::Conflict && tries < kTries) continue;
            return std::move(mounts).error();
        }
        auto applied = client_.apply_diff(unpackable(layer), *mounts, lease, stop);
        if (!applied) {
            (void)client_.remove_snapshot(snapshotter_, key);
            return of_unpacking(std::move(applied).error());
        }
        if (applied->digest != diff_id) {
            (void)client_.remove_snapshot(snapshotter_, key);
            return Error{.kind = ErrorKind::Malformed,
                         .what = "layers from manifest don't match image configuration: " + layer.digest +
                                 " unpacks to " + applied->digest + ", not " + diff_id};
        }
        auto committed = client_.commit_snapshot(snapshotter_, chain_id, key, {{kSnapshotRef, chain_id}}, lease);
        if (!committed) {
            (void)client_.remove_snapshot(snapshotter_, key);
            if (committed.error().kind != ErrorKind::Conflict) return committed;
        }
        return client_.label_content(layer.digest, {{kUncompressed, diff_id}});
    }
}

Result<void> Unpacker::unpack(const std::vector<registry::BlobDescriptor>& layers,
                              const std::vector<std::string>& diff_ids, const std::string& lease,
                              const std::stop_token& stop, const UnpackHooks& hooks) {
    if (layers.size() != diff_ids.size()) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "layers from manifest don't match image configuration: " + std::to_string(layers.size()) +
                             " layers, " + std::to_string(diff_ids.size()) + " diff ids"};
    }
    const std::vector<std::string> chain = chain_ids(diff_ids);
    for (int tries = 1;; ++tries) {
        std::size_t next = layers.size();
        for (; next > 0; --next) {
            const auto there = is_there(chain[next - 1]);
            if (!there) return there.error();
            if (*there) break;
        }
        if (hooks.done) {
            for (std::size_t i = 0; i < next; ++i) hooks.done(i);
        }
        Result<void> unpacked;
        for (; next < layers.size(); ++next) {
            if (hooks.wait_for) {
                if (auto ready = hooks.wait_for(next); !ready) return ready;
            }
            if (hooks.begun) hooks.begun(next);
            const std::string parent = next == 0 ? std::string() : chain[next - 1];
            unpacked = unpack_layer(layers[next], diff_ids[next], parent, chain[next], lease, stop);
            if (!unpacked) break;
            if (hooks.done) hooks.done(next);
        }
        // Layers found unpacked were not ours to keep: the collector may have taken them before we built on them.
        const bool vanished = !unpacked && unpacked.error().kind == ErrorKind::NotFound;
        if (!vanished || tries == kTries) return unpacked;
    }
}

}  // namespace nodeagent::runtime::containerd
