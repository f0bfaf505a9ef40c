#pragma once
// Deletes images that tasks no longer use, every ECS_IMAGE_CLEANUP_INTERVAL. core/image_policy decides; pulls wait
// meanwhile, so that an image is never deleted between its pull and its first container. task-engine.md 7.3.

#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/config/config.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/engine/image_puller.hpp"
#include "agent/engine/runtime_link.hpp"
#include "agent/engine/state_store.hpp"
#include "runtime/backend.hpp"

namespace nodeagent::engine {

/// Everything outlives the clean-up.
struct JanitorTools {
    Clock& clock;
    runtime::Backend& backend;
    RuntimeLink& link;
    ImageLedger& images;
    ImagePuller& puller;
    StateStore& store;
    const config::Config& config;
};

/// Not when it is disabled, nor with prefer-cached, which wants images to stay.
[[nodiscard]] bool janitor_wanted(const config::Config& config);

/// Runs until it is cancelled; the first cycle comes after one interval.
asio::awaitable<void> clean_images(JanitorTools tools);

}  // namespace nodeagent::engine
