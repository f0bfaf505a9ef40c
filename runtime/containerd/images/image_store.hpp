#pragma once
// Images of containerd's namespace as Docker would show them: the image verbs of Backend, on a Client. Every call
// blocks (threads of a pool), and any thread may make it. Errors are those of Backend, in Docker's words.
//
// An image is two kinds of records in containerd: "docker.io/library/busybox:1" and
// "docker.io/library/busybox@sha256:...". Its id is the digest of its configuration. Docker's familiar names
// ("busybox:1") are used towards callers.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"
#include "runtime/containerd/image_config.hpp"
#include "runtime/registry/client.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

/// Label of a Container record with the id ("sha256:...") of the image it was made from. The backend sets it; it says
/// which containers keep an image from being removed after its names have moved on.
inline constexpr const char* kImageIdLabel = "com.amazonaws.ecs.image-id";

struct ImageStoreOptions {
    std::string snapshotter;          ///< "": overlayfs where it is usable, else native
    std::size_t layers_parallel = 3;  ///< of one pull; at least 1
    registry::RegistryOptions registry;
};

/// An image that is on this host.
struct StoredImage {
    std::string record;  ///< name of a record that leads to it, for Container::image
    Descriptor target;   ///< of that record: index or manifest
    registry::Manifest manifest;
    ImageConfig config;
    ImageView view;
};

class ImageStore {
  public:
    ImageStore(std::shared_ptr<Client> client, ImageStoreOptions options);
    ~ImageStore();
    ImageStore(const ImageStore&) = delete;
    ImageStore& operator=(const ImageStore&) = delete;

    /// By name, name@digest or id; NotFound "No such image: x". view has the names, digests and the unpacked size.
    Result<StoredImage> find(const std::string& image);
    /// As Backend::resolve_digest: the digest of what the registry has under the name.
    Result<std::string> resolve_digest(const std::string& image, const RegistryAuth& auth,
                                       std::chrono::nanoseconds deadline, std::stop_token stop);
    /// As Backend::pull. `progress` is called on this thread, at most 4 times a second. Unpacked when it returns.
    Result<void> pull(const std::string& reference, const RegistryAuth& auth, const PullOptions& options,
                      const std::function<void(const PullProgress&)>& progress, std::stop_token stop);
    Result<void> tag(const std::string& source, const std::string& target);
    /// Archives of `docker save` or in OCI layout, uncompressed.
    Result<void> load_image(std::string_view archive);
    /// A name: that record, and with the last name the image. An id: all names. Conflict, with Docker's text, when a
    /// container uses the image.
    Result<void> remove_image(const std::string& image);
    Result<std::vector<ImageView>> list_images();

    /// The writable file system of a container: a snapshot named after it, of the image's top layer. One that is there
    /// already is returned. Unpacks first where the snapshotter lacks the image.
    Result<std::vector<SnapshotMount>> prepare_root(const std::string& container_id, const StoredImage& image);
    /// Mounts of a prepared root again, for a task started later; NotFound.
    Result<std::vector<SnapshotMount>> root_mounts(const std::string& container_id);
    Result<void> remove_root(const std::string& container_id);  ///< an absent one is fine
    /// Ids of all containers for which there is a root, whether there is a container or not.
    Result<std::vector<std::string>> roots();
    /// Of roots that agents before this one prepared: those of containers need them no longer.
    void delete_earlier_leases();

    /// The snapshotter in use, for Container::snapshotter. Unavailable when the daemon has none that works; Malformed
    /// when the one of the options does not exist.
    Result<std::string> snapshotter();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nodeagent::runtime::containerd
