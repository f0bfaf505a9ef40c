#pragma once
// Which images the namespace has: records, and what they lead to. Documents are named by their digest, so what was read
// once is remembered. Any thread.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"
#include "runtime/containerd/images/config_document.hpp"
#include "runtime/registry/manifest.hpp"

namespace nodeagent::runtime::containerd {

/// What a record's target leads to on this platform.
struct KnownImage {
    registry::Manifest manifest;
    ConfigDocument document;
};

struct NamedImage {
    Image record;
    std::shared_ptr<const KnownImage> image;
};

class Catalog {
  public:
    explicit Catalog(Client& client) : client_(client) {}

    /// NotFound when blobs of it are missing, Malformed when they are no image.
    Result<std::shared_ptr<const KnownImage>> read(const Descriptor& target);
    /// All records whose image can be read; the others are of no use to anybody.
    Result<std::vector<NamedImage>> all();
    /// Bytes of the layers, unpacked; what is not unpacked counts as it is stored.
    Result<std::int64_t> size_of(const KnownImage& image, const std::string& snapshotter);

  private:
    Result<std::shared_ptr<const KnownImage>> load(const Descriptor& target);

    Client& client_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<const KnownImage>> known_;  ///< by the target's digest
    std::map<std::string, std::int64_t> sizes_;                       ///< of snapshots, by chain id
};

}  // namespace nodeagent::runtime::containerd
