#include "runtime/containerd/images/image_store.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "agent/base/log.hpp"
#include "runtime/containerd/images/image_store_state.hpp"
#include "runtime/containerd/images/unpacker.hpp"
#include "runtime/registry/reference.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr const char* kSnapshotterType = "io.containerd.snapshotter.v1";
constexpr std::chrono::hours kLongestUnpack{1};

bool names_id(const std::string& text) { return registry::is_digest(text); }

}  // namespace

Error no_such_image(const std::string& shown) {
    return {.kind = ErrorKind::NotFound, .what = "No such image: " + shown};
}

// ---- what is there

Result<std::vector<NamedImage>> ImageStore::State::records_of(const std::string& text) {
    std::string shown = text;
    std::string record;
    if (!names_id(text)) {
        auto reference = registry::parse_reference(text);
        if (!reference) return std::move(reference).error();
        shown = reference->shown();
        record = reference->record();
    }
    auto all = catalog.all();
    if (!all) return std::move(all).error();
    const auto named = std::find_if(all->begin(), all->end(), [&](const NamedImage& one) {
        return record.empty() ? one.image->document.config.id == text : one.record.name == record;
    });
    if (named == all->end()) return no_such_image(shown);
    const std::string id = named->image->document.config.id;
    std::iter_swap(all->begin(), named);
    std::erase_if(*all, [&id](const NamedImage& one) { return one.image->document.config.id != id; });
    return all;
}

Result<ImageView> ImageStore::State::view_of(const KnownImage& image, const std::vector<NamedImage>& records) {
    auto chosen = choose_snapshotter();
    if (!chosen) return std::move(chosen).error();
    ImageView view;
    view.id = image.document.config.id;
    view.env = image.document.config.env;
    view.created = image.document.created;
    auto size = catalog.size_of(image, *chosen);
    if (!size) return std::move(size).error();
    view.size = *size;
    for (const NamedImage& one : records) {
        const auto reference = registry::parse_reference(one.record.name);
        if (!reference) continue;  // known by its id only
        (reference->digest.empty() ? view.repo_tags : view.repo_digests).push_back(reference->shown());
    }
    std::sort(view.repo_tags.begin(), view.repo_tags.end());
    std::sort(view.repo_digests.begin(), view.repo_digests.end());
    return view;
}

Result<std::string> ImageStore::State::choose_snapshotter() {
    {
        const std::lock_guard lock(mutex);
        if (!snapshotter.empty()) return snapshotter;
    }
    auto plugins = client->plugins();
    if (!plugins) return std::move(plugins).error();
    const auto usable = [&plugins](const std::string& id) {
        return std::any_of(plugins->begin(), plugins->end(), [&id](const Plugin& plugin) {
            return plugin.type == kSnapshotterType && plugin.id == id && plugin.usable;
        });
    };
    std::string chosen = options.snapshotter;
    if (chosen.empty()) chosen = usable("overlayfs") ? "overlayfs" : "native";
    if (!usable(chosen)) {
        return Error{.kind = options.snapshotter.empty() ? ErrorKind::Unavailable : ErrorKind::Malformed,
                     .what = "containerd has no working snapshotter \"" + chosen +
                             "\": `ctr plugins ls` shows those it has, ECS_CONTAINERD_SNAPSHOTTER chooses one"};
    }
    const std::lock_guard lock(mutex);
    snapshotter = chosen;
    return chosen;
}

ImageStore::ImageStore(std::shared_ptr<Client> client, ImageStoreOptions options)
    : state_(std::make_shared<State>(std::move(client), std::move(options))) {}

ImageStore::~ImageStore() = default;

Result<std::string> ImageStore::snapshotter() { return state_->choose_snapshotter(); }

Result<StoredImage> ImageStore::find(const std::string& image) {
    auto records = state_->records_of(image);
    if (!records) return std::move(records).error();
    const NamedImage& named = records->front();
    auto view = state_->view_of(*named.image, *records);
    if (!view) return std::move(view).error();
    return StoredImage{.record = named.record.name,
                       .target = named.record.target,
                       .manifest = named.image->manifest,
                       .config = named.image->document.config,
                       .view = *std::move(view)};
}

Result<std::vector<ImageView>> ImageStore::list_images() {
    auto all = state_->catalog.all();
    if (!all) return std::move(all).error();
    std::map<std::string, std::vector<NamedImage>> by_id;
    for (NamedImage& one : *all) by_id[one.image->document.config.id].push_back(std::move(one));
    std::vector<ImageView> views;
    views.reserve(by_id.size());
    for (const auto& [id, records] : by_id) {
        auto view = state_->view_of(*records.front().image, records);
        if (!view) return std::move(view).error();
        views.push_back(*std::move(view));
    }
    return views;
}

Result<void> ImageStore::tag(const std::string& source, const std::string& target) {
    auto reference = registry::parse_reference(target);
    if (!reference) return std::move(reference).error();
    if (!reference->digest.empty()) {
        return Error{.kind = ErrorKind::Malformed, .what = "refusing to create a tag with a digest reference"};
    }
    auto records = state_->records_of(source);
    if (!records) return std::move(records).error();
    return state_->client->put_image(
        {.name = reference->record(), .labels = {}, .target = records->front().record.target});
}

// ---- containers' roots

Result<void> ImageStore::State::unpack(const std::string& record, const KnownImage& image) {
    auto chosen = choose_snapshotter();
    if (!chosen) return std::move(chosen).error();
    auto lease = leases.take(record, kLongestUnpack);
    if (!lease) return std::move(lease).error();
    Unpacker unpacker(*client, work, *chosen);
    const std::stop_token never;
    auto unpacked = unpacker.unpack(image.manifest.layers, image.document.diff_ids, *lease, never);
    if (unpacked) {
        unpacked =
            client->label_content(image.manifest.config.digest,
                                  {{"containerd.io/gc.ref.snapshot." + *chosen, image.document.config.chain_id}});
    }
    leases.give_back(record, *lease, false);
    return unpacked;
}

Result<std::vector<SnapshotMount>> ImageStore::prepare_root(const std::string& container_id, const StoredImage& image) {
    auto chosen = snapshotter();
    if (!chosen) return std::move(chosen).error();
    const std::string& parent = image.config.chain_id;
    for (bool first = true;; first = false) {
        // until there is a container's record, nothing but the lease leads to the snapshot
        auto lease = state_->leases.for_roots();
        if (!lease) return std::move(lease).error();
        auto mounts = state_->client->prepare_snapshot(*chosen, container_id, parent, {}, *lease);
        if (mounts) return mounts;
        if (mounts.error().kind == ErrorKind::Conflict) return root_mounts(container_id);
        if (mounts.error().kind != ErrorKind::NotFound || !first) return mounts;
        state_->leases.forget_roots();
        if (parent.empty()) continue;
        auto known = state_->catalog.read(image.target);
        if (!known) return std::move(known).error();
        if (auto unpacked = state_->unpack(image.record, **known); !unpacked) return std::move(unpacked).error();
    }
}

Result<std::vector<SnapshotMount>> ImageStore::root_mounts(const std::string& container_id) {
    auto chosen = snapshotter();
    if (!chosen) return std::move(chosen).error();
    return state_->client->snapshot_mounts(*chosen, container_id);
}

Result<void> ImageStore::remove_root(const std::string& container_id) {
    auto chosen = snapshotter();
    if (!chosen) return std::move(chosen).error();
    auto removed = state_->client->remove_snapshot(*chosen, container_id);
    if (!removed && removed.error().kind != ErrorKind::NotFound) return removed;
    return {};
}

Result<std::vector<std::string>> ImageStore::roots() {
    auto chosen = snapshotter();
    if (!chosen) return std::move(chosen).error();
    const auto snapshots = state_->client->list_snapshots(*chosen);
    if (!snapshots) return snapshots.error();
    std::vector<std::string> ids;
    for (const SnapshotInfo& one : *snapshots) {
        // those of layers that are being unpacked have other names
        const bool is_id = one.name.size() == 64 && one.name.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (is_id && one.kind != SnapshotInfo::Kind::Committed) ids.push_back(one.name);
    }
    return ids;
}

void ImageStore::delete_earlier_leases() {
    if (auto deleted = state_->leases.delete_earlier_roots(); !deleted) {
        log::warn("leases of an agent before this one stay until they expire", {{"cause", deleted.error().what}});
    }
}

}  // namespace nodeagent::runtime::containerd
