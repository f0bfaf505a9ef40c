#include "agent/core/image_policy.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <tuple>

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

namespace {

unsigned percent(std::uint64_t total, std::uint64_t free) {
    if (total == 0) return 0;
    const std::uint64_t used = total - std::min(free, total);
    return static_cast<unsigned>((used * 100 + total - 1) / total);
}

}  // namespace

unsigned DiskUse::bytes_percent() const { return percent(bytes_total >> 10U, bytes_free >> 10U); }
unsigned DiskUse::inodes_percent() const { return percent(inodes_total, inodes_free); }

Watermarks watermarks(int high, int low) {
    if (high <= 0 || low <= 0) return {.high = 0, .low = 0};
    const auto upper = static_cast<unsigned>(high);
    return {.high = upper, .low = std::min(static_cast<unsigned>(low), upper - 1)};
}

bool above_high(const DiskUse& use, const Watermarks& marks) {
    return !marks.off() && (use.bytes_percent() >= marks.high || use.inodes_percent() >= marks.high);
}

bool below_low(const DiskUse& use, const Watermarks& marks) {
    return use.bytes_percent() <= marks.low && use.inodes_percent() <= marks.low;
}

std::string describe(const DiskUse& use) {
    std::array<char, 96> text{};
    const double gib = static_cast<double>(use.bytes_total) / (1 << 30);
    std::snprintf(text.data(), text.size(), "%u%% of %.1f GiB and %u%% of the inodes in use", use.bytes_percent(), gib,
                  use.inodes_percent());
    return text.data();
}

std::vector<ImageRemoval> removals_under_pressure(std::vector<TrackedImage> tracked,
                                                  std::vector<UntrackedImage> untracked, const ImageRules& rules) {
    ImageRules any_age = rules;
    any_age.minimum_age = any_age.untracked_minimum_age = std::chrono::nanoseconds::min();
    any_age.per_cycle = tracked.size();
    std::vector<ImageRemoval> removals = tracked_to_remove(std::move(tracked), any_age, WallTime{});
    if (!rules.untracked) return removals;
    std::erase_if(untracked, [&](const UntrackedImage& image) { return kept(image.names, rules); });
    std::sort(untracked.begin(), untracked.end(), [](const UntrackedImage& a, const UntrackedImage& b) {
        return std::tie(a.created, a.id) < std::tie(b.created, b.id);
    });
    for (UntrackedImage& image : untracked) removals.push_back({std::move(image.id), std::move(image.names)});
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
