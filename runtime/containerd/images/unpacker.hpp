#pragma once
// Layers become snapshots, each on top of the one below. containerd.md 3.

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"
#include "runtime/containerd/images/shared_work.hpp"
#include "runtime/registry/manifest.hpp"

namespace nodeagent::runtime::containerd {

struct UnpackHooks {
    /// Returns when the layer's blob is in the content store.
    std::function<Result<void>(std::size_t layer)> wait_for{};
    std::function<void(std::size_t layer)> begun{}, done{};
};

class Unpacker {
  public:
    Unpacker(Client& client, SharedWork& work, std::string snapshotter)
        : client_(client), work_(work), snapshotter_(std::move(snapshotter)) {}

    /// As many layers as diff ids; what is unpacked already is not again. Malformed when a layer is not what the
    /// image's configuration says. Leaves no half-unpacked snapshot.
    Result<void> unpack(const std::vector<registry::BlobDescriptor>& layers, const std::vector<std::string>& diff_ids,
                        const std::string& lease, const std::stop_token& stop, const UnpackHooks& hooks = {});

  private:
    [[nodiscard]] Result<bool> is_there(const std::string& chain_id);
    Result<void> unpack_layer(const registry::BlobDescriptor& layer, const std::string& diff_id,
                              const std::string& parent, const std::string& chain_id, const std::string& lease,
                              const std::stop_token& stop);

    Client& client_;
    SharedWork& work_;
    const std::string snapshotter_;
};

}  // namespace nodeagent::runtime::containerd
