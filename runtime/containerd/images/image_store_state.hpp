#pragma once
// What ImageStore is made of.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/containerd/images/catalog.hpp"
#include "runtime/containerd/images/image_store.hpp"
#include "runtime/containerd/images/pull_leases.hpp"
#include "runtime/containerd/images/shared_work.hpp"
#include "runtime/registry/client.hpp"

namespace nodeagent::runtime::containerd {

struct ArchivedImage;

struct ImageStore::State {
    State(std::shared_ptr<Client> given, ImageStoreOptions wanted)
        : client(std::move(given)),
          options(std::move(wanted)),
          registries(options.registry),
          catalog(*client),
          leases(*client) {}

    std::shared_ptr<Client> client;
    const ImageStoreOptions options;
    registry::RegistryClient registries;
    Catalog catalog;
    PullLeases leases;
    SharedWork work;
    std::mutex mutex;
    std::string snapshotter;  ///< once it is chosen

    /// The image that `text` names, with every record that names the same image, itself first.
    Result<std::vector<NamedImage>> records_of(const std::string& text);
    Result<std::string> choose_snapshotter();
    /// Records names in Docker's words; `id` and the rest from the image.
    Result<ImageView> view_of(const KnownImage& image, const std::vector<NamedImage>& records);
    Result<void> unpack(const std::string& record, const KnownImage& image);
    Result<void> load(const ArchivedImage& image, const std::string& lease);
    /// A container that is made from the image.
    Result<std::optional<Container>> user_of(const std::string& id, const std::vector<NamedImage>& records);
};

/// Docker's text.
[[nodiscard]] Error no_such_image(const std::string& shown);

}  // namespace nodeagent::runtime::containerd
