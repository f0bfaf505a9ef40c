#pragma once
// Deletes images, and containers of nobody here, that are no longer used: some every ECS_IMAGE_CLEANUP_INTERVAL, and as
// many as it takes when the disk that holds them fills up (looked at every minute, or because a pull found no space).
// core/image_policy decides. Nothing that is in use is tried, which is looked at again right before each removal, and
// what cannot be removed is passed over until the next time. task-engine.md 7.3, 7.5.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/scope.hpp"
#include "agent/config/config.hpp"
#include "agent/core/image_policy.hpp"
#include "agent/engine/event_log.hpp"
#include "agent/engine/image_claims.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/engine/image_puller.hpp"
#include "agent/engine/runtime_link.hpp"
#include "agent/engine/state_store.hpp"
#include "runtime/backend.hpp"

namespace nodeagent::engine {

/// Everything outlives the janitor.
struct JanitorTools {
    asio::any_io_executor shard;
    Clock& clock;
    runtime::Backend& backend;
    RuntimeLink& link;
    ImageLedger& images;
    ImageClaims& claims;
    StateStore& store;
    EventLog& events;
    const config::Config& config;
    std::function<asio::awaitable<Result<core::DiskUse>>(std::string folder)> disk_use;
    /// Whether a task here knows the container, or is about to.
    std::function<bool(const runtime::ContainerView&)> is_ours;
};

class ImageJanitor {
  public:
    explicit ImageJanitor(JanitorTools tools);

    /// Not when it is disabled, nor with prefer-cached, which wants images to stay.
    [[nodiscard]] static bool wanted(const config::Config& config);

    /// Runs until it is cancelled; the first clean-up comes after one interval.
    asio::awaitable<void> clean_regularly();
    /// Runs until it is cancelled: keeps the disk below the high watermark.
    asio::awaitable<void> watch_disk();
    /// A pull found the disk full: removes unused images down to the low watermark, at least one. Those who ask at the
    /// same time share one run. Removes nothing where clean-up or the watermarks are off.
    asio::awaitable<RoomMade> make_room();

    void cancel() { urgent_.cancel(); }
    asio::awaitable<void> drain() { return urgent_.drain(); }

  private:
    struct Turn;  ///< one clean-up at a time
    asio::awaitable<void> one_cycle();
    asio::awaitable<void> make_room_now();
    asio::awaitable<RoomMade> relieve(bool urgent);
    asio::awaitable<std::size_t> remove_tracked();
    asio::awaitable<void> remove_containers();
    asio::awaitable<void> remove_untracked(std::size_t budget);
    asio::awaitable<std::optional<std::vector<core::UntrackedImage>>> untracked_images();
    asio::awaitable<bool> in_use(std::string image_id);
    asio::awaitable<bool> remove(core::ImageRemoval removal);
    asio::awaitable<bool> remove_name(std::string image_id, std::string name);
    asio::awaitable<void> save();
    asio::awaitable<void> take_turn();
    void note(std::string what);

    JanitorTools tools_;
    core::ImageRules rules_;
    core::Watermarks marks_;
    bool busy_ = false;
    bool unreadable_told_ = false;  ///< that the disk cannot be looked at
    bool pressed_told_ = false;     ///< that nothing is left to remove
    std::shared_ptr<OneShot<RoomMade>> room_;
    Scope urgent_;
};

}  // namespace nodeagent::engine
