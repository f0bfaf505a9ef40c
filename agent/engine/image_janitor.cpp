#include "agent/engine/image_janitor.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "agent/base/log.hpp"

namespace nodeagent::engine {

namespace {

constexpr std::chrono::minutes kLookAtDiskEvery(1);
constexpr std::chrono::seconds kBusy(1);

core::ImageRules rules_of(const config::Config& config) {
    core::ImageRules rules;
    rules.per_cycle = static_cast<std::size_t>(config.images_delete_per_cycle);
    rules.minimum_age = config.image_minimum_age;
    rules.untracked = config.untracked_image_cleanup.enabled();
    rules.untracked_minimum_age = config.non_ecs_image_minimum_age;
    rules.untracked_per_cycle = static_cast<std::size_t>(std::max(0, config.non_ecs_containers_delete_per_cycle));
    rules.container_age = config.task_cleanup_wait;
    rules.excluded.insert(config.exclude_untracked_images.begin(), config.exclude_untracked_images.end());
    rules.excluded.insert(config.pause_image_name + ":" + config.pause_image_tag);
    rules.excluded.insert("amazon/amazon-ecs-pause:0.1.0");
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

std::string mebibytes(std::uint64_t bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
    return text.data();
}

}  // namespace

struct ImageJanitor::Turn {
    bool& busy;
    ~Turn() { busy = false; }
};

ImageJanitor::ImageJanitor(JanitorTools tools)
    : tools_(std::move(tools)),
      rules_(rules_of(tools_.config)),
      marks_(core::watermarks(tools_.config.image_high_watermark, tools_.config.image_low_watermark)),
      urgent_(tools_.shard) {}

bool ImageJanitor::wanted(const config::Config& config) {
    return !config.image_cleanup_disabled.enabled() &&
           config.image_pull_behavior != config::ImagePullBehavior::PreferCached;
}

asio::awaitable<void> ImageJanitor::clean_regularly() {
    for (;;) {
        co_await tools_.clock.sleep_for(tools_.config.image_cleanup_interval);
        co_await tools_.link.wait_reachable();
        co_await take_turn();
        const Turn turn{busy_};
        co_await one_cycle();
    }
}

asio::awaitable<void> ImageJanitor::watch_disk() {
    for (;;) {
        co_await tools_.clock.sleep_for(kLookAtDiskEvery);
        co_await tools_.link.wait_reachable();
        co_await take_turn();
        const Turn turn{busy_};
        (void)co_await relieve(false);
    }
}

asio::awaitable<RoomMade> ImageJanitor::make_room() {
    auto made = room_;
    if (!made) {
        made = room_ = std::make_shared<OneShot<RoomMade>>(tools_.shard);
        urgent_.spawn(make_room_now());  // which may end, and forget room_, before this returns
    }
    co_return co_await OneShot<RoomMade>::wait(std::move(made));
}

asio::awaitable<void> ImageJanitor::make_room_now() {
    auto made = room_;
    co_await take_turn();
    const Turn turn{busy_};
    RoomMade room = co_await relieve(true);
    room_ = nullptr;
    made->give(std::move(room));
}

asio::awaitable<void> ImageJanitor::take_turn() {
    while (busy_) co_await tools_.clock.sleep_for(kBusy);
    busy_ = true;
}

asio::awaitable<void> ImageJanitor::one_cycle() {
    const std::size_t removed = co_await remove_tracked();
    if (rules_.untracked) {
        co_await remove_containers();
        co_await remove_untracked(rules_.per_cycle > removed ? rules_.per_cycle - removed : 0);
    }
    co_await save();
}

/// How many went. One that cannot be removed makes place for the next.
asio::awaitable<std::size_t> ImageJanitor::remove_tracked() {
    std::size_t removed = 0;
    core::ImageRules all = rules_;
    all.per_cycle = tools_.images.records().size();
    const auto candidates = core::tracked_to_remove(tracked(tools_.images), all, tools_.clock.now().wall);
    for (std::size_t i = 0; i < candidates.size() && removed < rules_.per_cycle; ++i) {
        const bool gone = co_await remove(candidates[i]);
        removed += gone ? 1U : 0U;
    }
    co_return removed;
}

asio::awaitable<void> ImageJanitor::remove_containers() {
    Result<std::vector<runtime::ContainerView>> listed = co_await tools_.backend.list({});
    if (!listed) {
        log::warn("containers cannot be listed for clean-up", {{"cause", listed.error().what}});
        co_return;
    }
    std::vector<core::UntrackedContainer> candidates;
    for (const runtime::ContainerView& container : *listed) {
        if (container.phase == runtime::ContainerPhase::Running || tools_.is_ours(container)) continue;
        const Result<runtime::ContainerView> seen = co_await tools_.backend.inspect(container.id);
        if (!seen || seen->phase == runtime::ContainerPhase::Running) continue;
        candidates.push_back({.id = seen->id, .finished = seen->finished_at.value_or(WallTime{})});
    }
    for (const std::string& id : core::containers_to_remove(std::move(candidates), rules_, tools_.clock.now().wall)) {
        const Result<void> removed = co_await tools_.backend.remove(id);
        if (removed) {
            log::info("unused container removed", {{"id", id}});
        } else {
            log::warn("unused container not removed", {{"id", id}, {"cause", removed.error().what}});
        }
    }
}

/// Images of the host that no task here has used; nothing when the runtime cannot be asked.
asio::awaitable<std::optional<std::vector<core::UntrackedImage>>> ImageJanitor::untracked_images() {
    const Result<std::vector<runtime::ImageView>> listed = co_await tools_.backend.list_images();
    if (!listed) {
        log::warn("images cannot be listed for clean-up", {{"cause", listed.error().what}});
        co_return std::nullopt;
    }
    std::vector<core::UntrackedImage> images;
    for (const runtime::ImageView& image : *listed) {
        if (tools_.images.records().contains(image.id)) continue;
        images.push_back({.id = image.id,
                          .names = image.repo_tags,
                          .created = image.created.value_or(WallTime{}),
                          .size = image.size});
    }
    co_return images;
}

asio::awaitable<void> ImageJanitor::remove_untracked(std::size_t budget) {
    auto images = co_await untracked_images();
    if (!images) co_return;
    const auto removals = core::untracked_to_remove(*std::move(images), rules_, budget, tools_.clock.now().wall);
    for (const core::ImageRemoval& removal : removals) (void)co_await remove(removal);
}

asio::awaitable<RoomMade> ImageJanitor::relieve(bool urgent) {
    const std::string folder = tools_.link.capabilities().data_root;
    if (folder.empty()) co_return RoomMade{};
    Result<core::DiskUse> use = co_await tools_.disk_use(folder);
    if (!use) {
        if (!std::exchange(unreadable_told_, true)) {
            log::warn("the runtime's disk cannot be watched; is its folder visible to the agent?",
                      {{"folder", folder}, {"cause", use.error().what}});
        }
        co_return RoomMade{};
    }
    unreadable_told_ = false;
    const core::DiskUse before = *use;
    const auto disk = [&folder](const core::DiskUse& now) { return "disk of " + folder + ": " + core::describe(now); };
    if (urgent) note("a pull found no space; " + disk(before));
    const bool off = marks_.off() || !wanted(tools_.config);
    if (off || (!urgent && !core::above_high(before, marks_))) {
        pressed_told_ = pressed_told_ && core::above_high(before, marks_);
        co_return RoomMade{.freed = false, .disk = disk(before)};
    }
    std::vector<core::UntrackedImage> others;
    if (rules_.untracked) {
        auto listed = co_await untracked_images();
        if (listed) others = *std::move(listed);
    }
    const auto removals = core::removals_under_pressure(tracked(tools_.images), std::move(others), rules_);
    std::size_t removed = 0;
    core::DiskUse now = before;
    for (const core::ImageRemoval& removal : removals) {
        if (core::below_low(now, marks_) && (removed > 0 || !urgent)) break;
        const bool gone = co_await remove(removal);
        if (!gone) continue;
        ++removed;
        use = co_await tools_.disk_use(folder);
        if (use) now = *use;
    }
    co_await save();
    if (removed > 0) {
        const std::uint64_t freed = now.bytes_free > before.bytes_free ? now.bytes_free - before.bytes_free : 0;
        note("image clean-up removed " + std::to_string(removed) + (removed == 1 ? " image" : " images") +
             " and freed " + mebibytes(freed) + "; " + disk(now));
    }
    if (core::below_low(now, marks_) || !core::above_high(now, marks_)) {
        pressed_told_ = false;
    } else if (!std::exchange(pressed_told_, true)) {
        note("the disk stays above the high watermark and no unused image is left to remove; " + disk(now));
    }
    co_return RoomMade{.freed = removed > 0, .disk = disk(now)};
}

/// Whether a container of the host, running or not, is made from the image; yes when the runtime cannot be asked.
asio::awaitable<bool> ImageJanitor::in_use(std::string image_id) {
    const auto record = tools_.images.records().find(image_id);
    if (record != tools_.images.records().end() && !record->second.users.empty()) co_return true;
    const Result<std::vector<runtime::ContainerView>> listed = co_await tools_.backend.list({});
    if (!listed) {
        log::warn("containers cannot be listed for clean-up", {{"cause", listed.error().what}});
        co_return true;
    }
    co_return std::any_of(listed->begin(), listed->end(), [&image_id](const runtime::ContainerView& container) {
        return container.image_id == image_id;
    });
}

/// True when nothing of it is left under the names given.
asio::awaitable<bool> ImageJanitor::remove(core::ImageRemoval removal) {
    const auto claim = tools_.claims.claim(removal.names);
    if (!claim) co_return false;
    const bool used = co_await in_use(removal.id);
    if (used) co_return false;
    // another name of the same image may have come into use while the runtime was asked
    const auto record = tools_.images.records().find(removal.id);
    if (record != tools_.images.records().end() && !record->second.users.empty()) co_return false;
    if (removal.names.empty()) {
        const bool gone = co_await remove_name(removal.id, removal.id);
        if (gone) tools_.images.forget(removal.id);
        co_return gone;
    }
    bool all = true;
    for (const std::string& name : removal.names) {
        const bool gone = co_await remove_name(removal.id, name);
        if (gone) tools_.images.forget_name(removal.id, name);
        all = all && gone;
    }
    co_return all;
}

/// True when the image is gone under that name, by us or by others.
asio::awaitable<bool> ImageJanitor::remove_name(std::string image_id, std::string name) {
    const Result<void> removed = co_await tools_.backend.remove_image(name);
    if (removed) log::info("unused image removed", {{"image", name}, {"id", image_id}});
    if (removed || removed.error().kind == ErrorKind::NotFound) co_return true;
    log::warn("unused image not removed", {{"image", name}, {"cause", removed.error().what}});
    co_return false;
}

asio::awaitable<void> ImageJanitor::save() {
    std::vector<StoreChange> changes = tools_.images.take_changes();
    if (changes.empty()) co_return;
    const Result<void> saved = co_await tools_.store.commit(std::move(changes));
    if (!saved) log::warn("image records not saved", {{"cause", saved.error().what}});
}

/// Rare and worth an operator's attention: in the log and in `ecs-node events`.
void ImageJanitor::note(std::string what) {
    log::warn(what);
    tools_.events.add({.when = tools_.clock.now().wall, .task_arn = {}, .container = {}, .what = std::move(what)});
}

}  // namespace nodeagent::engine
