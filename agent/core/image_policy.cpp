#include "agent/core/image_policy.hpp"

#include <algorithm>

namespace nodeagent::core {

namespace {

bool kept(const std::vector<std::string>& names, const ImageRules& rules) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return rules.excluded.contains(name); });
}

}  // namespace

std::vector<ImageRemoval> tracked_to_remove(std::vector<TrackedImage> images, const ImageRules& rules, WallTime now) {
    std::erase_if(images, [&](const TrackedImage& image) {
        return kept(image.names, rules) || image.references > 0 || now - image.pulled_at <= rules.minimum_age;
    });
    std::sort(images.begin(), images.end(), [](const TrackedImage& a, const TrackedImage& b) {
        return std::tie(a.last_used_at, a.id) < std::tie(b.last_used_at, b.id);
    });
    std::vector<ImageRemoval> removals;
    for (TrackedImage& image : images) {
        if (removals.size() >= rules.per_cycle) break;
        removals.push_back({std::move(image.id), std::move(image.names)});
    }
    return removals;
}

std::vector<ImageRemoval> untracked_to_remove(std::vector<UntrackedImage> images, const ImageRules& rules,
                                              std::size_t budget, WallTime now) {
    if (!rules.untracked) return {};
    std::erase_if(images, [&](const UntrackedImage& image) {
        return kept(image.names, rules) || now - image.created <= rules.untracked_minimum_age;
    });
    std::sort(images.begin(), images.end(), [](const UntrackedImage& a, const UntrackedImage& b) {
        return std::tie(a.size, a.id) < std::tie(b.size, b.id);
    });
    std::vector<ImageRemoval> removals;
    for (UntrackedImage& image : images) {
        if (budget == 0) break;
        if (image.names.size() > budget) image.names.resize(budget);  // the rest of its names goes in a later cycle
        budget -= std::max<std::size_t>(image.names.size(), 1);
        removals.push_back({std::move(image.id), std::move(image.names)});
    }
    return removals;
}

std::vector<std::string> containers_to_remove(std::vector<UntrackedContainer> containers, const ImageRules& rules,
                                              WallTime now) {
    if (!rules.untracked) return {};
    std::erase_if(containers, [&](const UntrackedContainer& c) { return now - c.finished <= rules.container_age; });
    std::sort(containers.begin(), containers.end(), [](const UntrackedContainer& a, const UntrackedContainer& b) {
        return std::tie(a.finished, a.id) < std::tie(b.finished, b.id);
    });
    std::vector<std::string> ids;
    for (UntrackedContainer& container : containers) {
        if (ids.size() >= rules.untracked_per_cycle) break;
        ids.push_back(std::move(container.id));
    }
    return ids;
}

}  // namespace nodeagent::core
