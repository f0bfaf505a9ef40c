#pragma once
// The reference's saved state as ours: what an agent that takes its place on this machine goes on with (host.md 2.4,
// 2.5).

#include <string>
#include <vector>

#include "agent/core/from_payload.hpp"
#include "agent/core/reconcile.hpp"
#include "agent/engine/state_store.hpp"
#include "agent/takeover/bolt_file.hpp"

namespace nodeagent::takeover {

struct ImportedTask {
    core::TaskState task;
    std::vector<std::string> missing;  ///< features it uses that are absent here
};

struct Import {
    std::string agent_version;                    ///< of the reference, "" when it has not said
    std::map<std::string, std::string> metadata;  ///< engine's keys; no value is empty
    std::vector<ImportedTask> tasks;
    std::map<std::string, std::string> images;  ///< engine::encode_image_record
    std::vector<std::string> own_tasks;         ///< ARNs of the reference's own daemons, whose containers go
    /// What could not be taken over as it was, each a line for people.
    std::vector<std::string> notes;

    [[nodiscard]] std::string value(std::string_view key) const;
    /// Tasks whose status is not STOPPED.
    [[nodiscard]] std::size_t live() const;
    /// Nothing in it makes this machine a container instance.
    [[nodiscard]] bool empty() const { return value(engine::kContainerInstanceArnKey).empty() && tasks.empty(); }
};

/// What `database` holds. A record that cannot be read costs that record, with a note: the engine makes such a task
/// again from its containers.
[[nodiscard]] Import import_database(const BoltBucket& database, const core::Identity& identity);

/// The same of the text of ecs_agent_data.json, which agents before 1.44 wrote. Malformed when it is no such file.
[[nodiscard]] Result<Import> import_legacy_file(std::string_view text, const core::Identity& identity);

/// Containers that are recorded as made, but without an id: found by their labels in `listing`, all of the runtime's;
/// one that is not there has vanished.
void match_containers(Import& import, const std::vector<core::Listed>& listing);

/// The records for our store, identity included.
[[nodiscard]] engine::StoredState to_stored_state(const Import& import);

}  // namespace nodeagent::takeover
