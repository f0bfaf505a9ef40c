#include "agent/engine/image_janitor.hpp"

#include <utility>

#include "agent/base/log.hpp"
#include "agent/core/image_policy.hpp"
#include "agent/core/internal_containers.hpp"

namespace nodeagent::engine {

namespace {

core::ImageRules rules_of(const config::Config& config) {
    core::ImageRules rules;
    rules.per_cycle = static_cast<std::size_t>(config.images_delete_per_cycle);
    rules.minimum_age = config.image_minimum_age;
    rules.excluded.insert(config.exclude_untracked_images.begin(), config.exclude_untracked_images.end());
    rules.excluded.insert(config.pause_image_name + ":" + config.pause_image_tag);
    rules.excluded.insert(std::string(core::kPauseImage));
    rules.excluded.insert("amazon/amazon-ecs-agent:latest");
    return rules;
}

std::vector<core::TrackedImage> tracked(const ImageLedger& ledger) {
    std::vector<core::TrackedImage> images;
    for (const auto& [id, record] : ledger.records()) {
        images.push_back({.id = id,
                          .names = record.names,
                          .pulled_at = record.pulled_at,
                          .last_used_at = record.last_used_at,
                          .references = record.users.size()});
    }
    return images;
}

/// True when the image is gone under that name, by us or by others.
asio::awaitable<bool> remove_image(JanitorTools& tools, std::string name) {
    const Result<void> removed = co_await tools.backend.remove_image(name);
    if (removed || removed.error().kind == ErrorKind::NotFound) co_return true;
    log::warn("unused image not removed", {{"image", name}, {"cause", removed.error().what}});
    co_return false;
}

asio::awaitable<void> one_cycle(JanitorTools& tools) {
    const auto removals =
        core::tracked_to_remove(tracked(tools.images), rules_of(tools.config), tools.clock.now().wall);
    for (const core::ImageRemoval& removal : removals) {
        if (removal.names.empty()) {
            const bool gone = co_await remove_image(tools, removal.id);
            if (gone) tools.images.forget(removal.id);
        }
        for (const std::string& name : removal.names) {
            const bool gone = co_await remove_image(tools, name);
            if (!gone) break;
            tools.images.forget_name(removal.id, name);
            log::info("unused image removed", {{"image", name}});
        }
    }
    std::vector<StoreChange> changes = tools.images.take_changes();
    if (changes.empty()) co_return;
    const Result<void> saved = co_await tools.store.commit(std::move(changes));
    if (!saved) log::warn("image records not saved", {{"cause", saved.error().what}});
}

}  // namespace

bool janitor_wanted(const config::Config& config) {
    return !config.image_cleanup_disabled.enabled() &&
           config.image_pull_behavior != config::ImagePullBehavior::PreferCached;
}

asio::awaitable<void> clean_images(JanitorTools tools) {
    constexpr std::chrono::seconds kPullsBusy(10);
    for (;;) {
        co_await tools.clock.sleep_for(tools.config.image_cleanup_interval);
        co_await tools.link.wait_reachable();
        tools.puller.hold();
        while (!tools.puller.idle()) co_await tools.clock.sleep_for(kPullsBusy);
        co_await one_cycle(tools);
        tools.puller.resume();
    }
}

}  // namespace nodeagent::engine
