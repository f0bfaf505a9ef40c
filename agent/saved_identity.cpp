#include "agent/saved_identity.hpp"

#include <utility>
#include <vector>

#include "agent/base/backoff.hpp"
#include "agent/base/log.hpp"
#include "agent/base/time_format.hpp"
#include "agent/base/version.hpp"
#include "agent/start_checks.hpp"

namespace nodeagent {

namespace {

using namespace std::chrono_literals;

constexpr BackoffPolicy kStoreBackoff{.min = 1s, .max = 30s, .jitter = 0.2, .multiplier = 1.5};

}  // namespace

/// A store that is held, full or closed to us may be free later; ending would only be repeated by what starts the
/// agent.
asio::awaitable<engine::StoredState> SavedIdentity::load_when_possible() {
    Backoff backoff(kStoreBackoff);
    std::string told;
    for (;;) {
        auto loaded = co_await parts_.store.load();
        if (loaded) {
            if (!told.empty()) log::info("the saved state can be used now", {{"directory", parts_.config.data_dir}});
            co_return *std::move(loaded);
        }
        const Error failure = loaded.error();
        if (told != failure.what) {
            log::error("the saved state cannot be used; waiting until it can",
                       {{"error", failure.what}, {"remedy", state_remedy(failure.kind, parts_.config.data_dir)}});
        }
        told = failure.what;
        co_await parts_.clock.sleep_for(backoff.next());
    }
}

/// What the disk brought along is removed, not taken up: also if this agent is killed before that is done.
asio::awaitable<OrEnding<engine::StoredState>> SavedIdentity::start_fresh(engine::StoredState left) {
    log::warn("the saved state is of another EC2 instance; starting fresh",
              {{"saved", left.metadata_value(engine::kEc2InstanceIdKey)}, {"now", ec2_instance_id_}});
    engine::StoredState fresh;
    fresh.metadata[std::string(engine::kLeftoversBeforeKey)] = rfc3339_nanos(parts_.clock.now().wall);
    std::vector<engine::StoreChange> changes = left.forget_all();
    for (const auto& [key, text] : fresh.metadata) changes.push_back({engine::Shelf::Metadata, key, text});
    const auto cleared = co_await parts_.store.commit(std::move(changes));
    if (!cleared) co_return Ending{kExitRecoverable, with_context("forget the saved state", cleared.error()).what};
    co_return fresh;
}

/// One transaction, then the old file gets another name: an agent that is killed in between finds the file again, and
/// its own state beside it says that it is only to be put away.
asio::awaitable<OrEnding<engine::StoredState>> SavedIdentity::take_over(engine::StoredState own) {
    TakingOver& taking_over = *parts_.taking_over;
    engine::StoredState found = taking_over.state();
    const std::string& cluster = parts_.config.cluster;
    const Identity identity = compare_identity(found, cluster, ec2_instance_id_);
    if (identity == Identity::OtherCluster) {
        const std::string saved = found.metadata_value(engine::kClusterKey);
        co_return Ending{kExitTerminal, "amazon-ecs-agent's state in " + taking_over.path() + " belongs to cluster " +
                                            saved + ", but ECS_CLUSTER is " + (cluster.empty() ? "default" : cluster) +
                                            "; set ECS_CLUSTER=" + saved +
                                            ", or move that file away to join as a new "
                                            "instance"};
    }
    if (identity == Identity::OtherMachine) {
        log::warn("amazon-ecs-agent's state is of another EC2 instance; starting fresh",
                  {{"saved", found.metadata_value(engine::kEc2InstanceIdKey)},
                   {"now", ec2_instance_id_},
                   {"file", taking_over.path()}});
        found = {};
        found.metadata[std::string(engine::kLeftoversBeforeKey)] = rfc3339_nanos(parts_.clock.now().wall);
    } else {
        taking_over.tell();
    }
    std::vector<engine::StoreChange> changes = found.put_all();
    for (const auto& [key, text] : found.metadata) changes.push_back({engine::Shelf::Metadata, key, text});
    changes.push_back({engine::Shelf::Metadata, std::string(engine::kTakeoverPendingKey), taking_over.path()});
    const auto saved = co_await parts_.store.commit(std::move(changes));
    if (!saved) co_return Ending{kExitRecoverable, with_context("save the state taken over", saved.error()).what};
    co_await taking_over.put_away();
    for (auto& [key, text] : found.metadata) own.metadata.insert_or_assign(key, std::move(text));
    own.tasks = std::move(found.tasks);
    own.images = std::move(found.images);
    if (ec2_instance_id_.empty()) ec2_instance_id_ = own.metadata_value(engine::kEc2InstanceIdKey);
    co_return own;
}

asio::awaitable<OrEnding<engine::StoredState>> SavedIdentity::open() {
    engine::StoredState loaded = co_await load_when_possible();
    for (const std::string& damage : loaded.damaged)
        log::error("a saved record is damaged and was set aside", {{"record", damage}});
    if (parts_.ec2_instance_id) {
        auto instance_id = co_await parts_.ec2_instance_id();
        if (instance_id) ec2_instance_id_ = *std::move(instance_id);
    }
    const std::string& cluster = parts_.config.cluster;
    const Identity identity = compare_identity(loaded, cluster, ec2_instance_id_);
    if (parts_.taking_over != nullptr) {
        const bool pending = loaded.metadata.contains(std::string(engine::kTakeoverPendingKey));
        const auto ending = co_await parts_.taking_over->look(identity == Identity::Fresh, pending);
        if (ending) co_return *ending;
        if (parts_.taking_over->found()) co_return co_await take_over(std::move(loaded));
    }
    if (identity == Identity::OtherMachine) co_return co_await start_fresh(std::move(loaded));
    if (identity == Identity::OtherCluster) {
        co_return Ending{kExitTerminal, "the saved state in " + parts_.config.data_dir + " belongs to cluster " +
                                            loaded.metadata_value(engine::kClusterKey) + ", but ECS_CLUSTER is " +
                                            (cluster.empty() ? "default" : cluster) +
                                            "; restore ECS_CLUSTER, or remove that directory to join as a new "
                                            "instance"};
    }
    if (ec2_instance_id_.empty()) ec2_instance_id_ = loaded.metadata_value(engine::kEc2InstanceIdKey);
    co_return loaded;
}

asio::awaitable<void> SavedIdentity::save(ecs::Registered registered) {
    std::vector<engine::StoreChange> changes;
    const auto keep = [&](std::string_view key, const std::string& text) {
        changes.push_back({.shelf = engine::Shelf::Metadata, .key = std::string(key), .text = text});
    };
    keep(engine::kAgentVersionKey, std::string(kAgentVersion));
    keep(engine::kAvailabilityZoneKey, registered.availability_zone);
    keep(engine::kClusterKey, registered.cluster);
    keep(engine::kContainerInstanceArnKey, registered.container_instance_arn);
    keep(engine::kEc2InstanceIdKey, ec2_instance_id_);
    Backoff backoff(kStoreBackoff);
    for (bool told = false;; told = true) {
        std::vector<engine::StoreChange> copy = changes;
        const auto saved = co_await parts_.store.commit(std::move(copy));
        if (saved) co_return;
        if (!told) {
            log::error(
                "the instance's identity cannot be saved; until it is, a restart registers a new instance",
                {{"error", saved.error().what}, {"remedy", state_remedy(saved.error().kind, parts_.config.data_dir)}});
        }
        co_await parts_.clock.sleep_for(backoff.next());
    }
}

void SavedIdentity::not_saved(const Error& error) const {
    log::critical("state cannot be saved; work waits until it can",
                  {{"error", error.what}, {"remedy", state_remedy(error.kind, parts_.config.data_dir)}});
}

}  // namespace nodeagent
