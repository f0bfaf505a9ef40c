#pragma once
// Credentials of task roles and execution roles, by credentials id, as ACS sent them. Written on the engine's shard,
// read by the endpoint's shard: every call takes a short lock. Never saved, never logged.
//
// Whoever knows an id gets the credentials, so how long an answer takes must not help to guess one: see find().

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/model/payload.hpp"

namespace nodeagent::credentials {

enum class RoleType : unsigned char { TaskApplication, TaskExecution };

struct TaskRoleCredentials {
    std::string task_arn;
    RoleType role_type = RoleType::TaskApplication;
    model::RoleCredentials role;
};

/// Stands for an id in the registry: its HMAC under a random key of this process. Ids themselves are never compared, so
/// that no comparison ends the later the more of an id was right.
class IdDigests {
  public:
    using Digest = std::array<unsigned char, 32>;
    IdDigests();
    [[nodiscard]] Digest of(std::string_view id) const;

  private:
    Digest key_{};
};

class Registry {
  public:
    Registry();
    /// Last write wins; ids and task ARN must be non-empty (false otherwise, nothing stored).
    bool put(TaskRoleCredentials credentials);
    /// An id that a saved task refers to, but whose credentials have not come yet: known() is true, get() is empty.
    void announce(const std::string& credentials_id);
    void forget(const std::string& credentials_id);
    [[nodiscard]] std::shared_ptr<const TaskRoleCredentials> get(const std::string& credentials_id) const;
    [[nodiscard]] bool known(const std::string& credentials_id) const;

    enum class Standing : unsigned char { Unknown, Awaited, Granted };
    struct Found {
        Standing standing = Standing::Unknown;
        /// Never null. Of an id that is not granted these are no credentials but as many random characters as
        /// credentials usually have: an endpoint that does the same with them for every id takes as long for every id.
        std::shared_ptr<const TaskRoleCredentials> role;
    };
    /// The same steps for every id.
    [[nodiscard]] Found find(std::string_view credentials_id) const;

  private:
    struct DigestHash {
        std::size_t operator()(const IdDigests::Digest& digest) const;
    };
    struct SameDigest {
        bool operator()(const IdDigests::Digest& a, const IdDigests::Digest& b) const;
    };
    IdDigests digests_;
    std::shared_ptr<const TaskRoleCredentials> decoy_;
    mutable std::mutex mutex_;
    std::unordered_map<IdDigests::Digest, std::shared_ptr<const TaskRoleCredentials>, DigestHash, SameDigest>
        by_digest_;  ///< nullptr: announced
};

}  // namespace nodeagent::credentials
