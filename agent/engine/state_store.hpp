#pragma once
// What survives a restart of the agent: texts by key on three shelves. The store knows nothing of what the texts mean,
// so a new kind of record is a new shelf, not a new interface. Role credentials are never put into it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"

namespace nodeagent::engine {

namespace asio = boost::asio;

enum class Shelf : std::uint8_t {
    Tasks,     ///< task ARN -> core/saved_task text
    Images,    ///< image id -> image_ledger text
    Metadata,  ///< the keys below -> plain text
    Unsent,    ///< ARN of a task that is not here -> why it was refused, which ECS has not acknowledged
};

inline constexpr std::string_view kAgentVersionKey = "agent-version";
inline constexpr std::string_view kAvailabilityZoneKey = "availability-zone";
inline constexpr std::string_view kClusterKey = "cluster-name";
inline constexpr std::string_view kContainerInstanceArnKey = "container-instance-arn";
inline constexpr std::string_view kEc2InstanceIdKey = "ec2-instance-id";
/// RFC 3339; containers of unknown tasks created before are another machine's (EngineParts::leftovers_before).
inline constexpr std::string_view kLeftoversBeforeKey = "leftovers-before";
inline constexpr std::string_view kManifestSequenceKey = "task-manifest-seq-num";
/// The state of amazon-ecs-agent was taken over, and its file is still to be put away.
inline constexpr std::string_view kTakeoverPendingKey = "takeover-pending";
/// Followed by the ARN of a task that has ended, whose row is gone though a container of it may be left on the host.
inline constexpr std::string_view kGivenUpPrefix = "given-up:";

/// One put (text) or erase (no text).
struct StoreChange {
    Shelf shelf = Shelf::Tasks;
    std::string key;
    std::optional<std::string> text;
};

struct StoredState {
    std::map<std::string, std::string> tasks, images, metadata, unsent;
    /// What could not be read and was set aside, for one warning each: "task arn:...: <why>", "database: <why>".
    std::vector<std::string> damaged;
    /// Erases everything that is in it: the host has become another container instance.
    [[nodiscard]] std::vector<StoreChange> forget_all() const;
    /// Puts everything that is in it, but metadata.
    [[nodiscard]] std::vector<StoreChange> put_all() const;
    [[nodiscard]] std::string metadata_value(std::string_view key) const {
        const auto found = metadata.find(std::string(key));
        return found == metadata.end() ? std::string() : found->second;
    }
};

/// Used on one shard. Every call is atomic: all of it or nothing is there after a crash.
class StateStore {
  public:
    virtual ~StateStore() = default;
    virtual asio::awaitable<Result<StoredState>> load() = 0;
    /// Returns once the changes are durable. Changes of one caller that awaits each commit are applied in that order;
    /// commits that are waiting together may share a transaction, and then fail together.
    virtual asio::awaitable<Result<void>> commit(std::vector<StoreChange> changes) = 0;
    /// Moves a record that nobody can decode out of the way, keeping it for people.
    virtual asio::awaitable<Result<void>> set_aside(Shelf shelf, std::string key, std::string why) = 0;

    asio::awaitable<Result<void>> put(Shelf shelf, std::string key, std::string text);
    asio::awaitable<Result<void>> erase(Shelf shelf, std::string key);
};

}  // namespace nodeagent::engine
