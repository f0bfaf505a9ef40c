#include "agent/engine/lifecycle_settings.hpp"

#include <optional>
#include <thread>

#include "agent/base/random.hpp"
#include "agent/core/pull_rules.hpp"

namespace nodeagent::engine {

namespace {
core::PullBehavior pull_behavior(config::ImagePullBehavior behavior) {
    switch (behavior) {
        case config::ImagePullBehavior::Always: return core::PullBehavior::Always;
        case config::ImagePullBehavior::Once: return core::PullBehavior::Once;
        case config::ImagePullBehavior::PreferCached: return core::PullBehavior::PreferCached;
        case config::ImagePullBehavior::Default: break;
    }
    return core::PullBehavior::Default;
}
}  // namespace

core::Settings lifecycle_settings(const config::Config& config) {
    core::Settings settings;
    settings.pull_behavior = pull_behavior(config.image_pull_behavior);
    settings.pull_dependents_upfront = config.pull_dependents_upfront.enabled();
    settings.stop_timeout = std::chrono::duration_cast<std::chrono::seconds>(config.container_stop_timeout);
    settings.cleanup_wait = config.task_cleanup_wait;
    settings.cleanup_jitter = config.task_cleanup_wait_jitter;
    // The whole host is compared every minute with one listing; looking into each container is the slower net below it.
    settings.steady_poll = std::chrono::minutes(5);
    settings.exclude_ipv6_bindings = config.exclude_ipv6_port_binding;
    settings.ipv6_only = config.ipv6_only;
    settings.metadata_files = config.container_metadata.enabled();
    settings.jitter_seed = thread_random()();
    return settings;
}

PullLimits pull_limits(const config::Config& config) {
    PullLimits limits;
    limits.manifest_timeout = config.manifest_pull_timeout;
    limits.inactivity_timeout = config.image_pull_inactivity_timeout;
    limits.pull_timeout = config.image_pull_timeout;
    limits.parallel =
        core::parallel_pulls(config.image_pull_parallel, std::thread::hardware_concurrency(), std::nullopt);
    return limits;
}

}  // namespace nodeagent::engine
