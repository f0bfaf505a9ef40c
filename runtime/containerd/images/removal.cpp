// ImageStore: names and images that go.

#include <algorithm>
#include <utility>

#include "runtime/containerd/images/image_store_state.hpp"
#include "runtime/registry/reference.hpp"

namespace nodeagent::runtime::containerd {

namespace {

/// As Docker shortens ids.
std::string short_id(std::string_view id) {
    if (id.starts_with("sha256:")) id.remove_prefix(7);
    return std::string(id.substr(0, 12));
}

Error conflict(std::string what) { return {.kind = ErrorKind::Conflict, .what = "conflict: " + std::move(what)}; }

}  // namespace

Result<std::optional<Container>> ImageStore::State::user_of(const std::string& id,
                                                            const std::vector<NamedImage>& records) {
    auto containers = client->list_containers({});
    if (!containers) return std::move(containers).error();
    for (Container& container : *containers) {
        const auto label = container.labels.find(kImageIdLabel);
        const bool uses = label != container.labels.end()
                              ? label->second == id
                              : std::any_of(records.begin(), records.end(),
                                            [&](const NamedImage& one) { return one.record.name == container.image; });
        if (uses) return std::optional<Container>(std::move(container));
    }
    return std::optional<Container>();
}

Result<void> ImageStore::remove_image(const std::string& image) {
    auto records = state_->records_of(image);
    if (!records) return std::move(records).error();
    const std::string id = records->front().image->document.config.id;
    const auto reference = registry::parse_reference(image);
    const bool by_id = registry::is_digest(image) || !reference;

    // With a repository's last tag go its digests: nobody asks for them, and the image would stay for ever.
    std::vector<std::string> gone;
    std::vector<std::string> digests;
    bool tagged_still = false;
    for (const NamedImage& one : *records) {
        const auto other = registry::parse_reference(one.record.name);
        const bool same = by_id || one.record.name == reference->record();
        if (same) {
            gone.push_back(one.record.name);
        } else if (other && other->repository() == reference->repository()) {
            if (other->digest.empty()) tagged_still = true;
            if (!other->digest.empty()) digests.push_back(one.record.name);
        }
    }
    if (!by_id && reference->digest.empty() && !tagged_still) gone.insert(gone.end(), digests.begin(), digests.end());

    const bool last = gone.size() == records->size();
    if (last) {
        auto user = state_->user_of(id, *records);
        if (!user) return std::move(user).error();
        if (*user && by_id) {
            const auto task = state_->client->get_task((*user)->id, "");
            const bool running = task && task->status != TaskStatus::Stopped;
            return conflict("unable to delete " + short_id(id) +
                            (running ? " (cannot be forced) - image is being used by running container "
                                     : " (must be forced) - image is being used by stopped container ") +
                            short_id((*user)->id));
        }
        if (*user) {
            return conflict("unable to remove repository reference \"" + image + "\" (must force) - container " +
                            short_id((*user)->id) + " is using its referenced image " + short_id(id));
        }
    }
    for (std::size_t i = 0; i < gone.size(); ++i) {
        auto deleted = state_->client->delete_image(gone[i], last && i + 1 == gone.size());
        if (!deleted && deleted.error().kind != ErrorKind::NotFound) return deleted;
    }
    return {};
}

}  // namespace nodeagent::runtime::containerd
