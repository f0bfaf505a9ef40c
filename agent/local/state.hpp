#pragma once
// Everything the control plane knows, in memory, written through to the Store. Lives on the server's shard. Changing a
// record is: get the pointer, change the fields, save() it. Pointers stay valid until the record is erased.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/local/arn.hpp"
#include "agent/local/records.hpp"
#include "agent/local/store.hpp"

namespace nodeagent::local {

class State {
  public:
    State(Store& store, Identity identity) : store_(store), identity_(std::move(identity)) {}

    /// Reads the store. Rows that do not decode are set aside and logged.
    [[nodiscard]] Result<void> load();

    [[nodiscard]] const Identity& identity() const { return identity_; }

    /// A cluster that is ACTIVE, by name or ARN ("" is "default"); nullptr if there is none.
    [[nodiscard]] Cluster* active_cluster(std::string_view name_or_arn);
    [[nodiscard]] Cluster* cluster(std::string_view name_or_arn);
    /// By ARN, "family:revision", or "family" (its latest ACTIVE revision).
    [[nodiscard]] StoredTaskDefinition* task_definition(std::string_view reference);
    /// By ARN or id, within the cluster called `cluster`.
    [[nodiscard]] ContainerInstance* instance(std::string_view cluster, std::string_view arn_or_id);
    [[nodiscard]] ContainerInstance* instance(std::string_view arn);
    [[nodiscard]] Task* task(std::string_view cluster, std::string_view arn_or_id);
    [[nodiscard]] Task* task(std::string_view arn);
    /// Tasks on the instance that are not STOPPED.
    [[nodiscard]] std::vector<Task*> live_tasks(std::string_view instance_arn);

    [[nodiscard]] std::map<std::string, Cluster, std::less<>>& clusters() { return clusters_; }
    [[nodiscard]] std::map<std::string, StoredTaskDefinition, std::less<>>& task_definitions() { return definitions_; }
    [[nodiscard]] std::map<std::string, ContainerInstance, std::less<>>& instances() { return instances_; }
    [[nodiscard]] std::map<std::string, Task, std::less<>>& tasks() { return tasks_; }

    /// Insert or update. A store that cannot write ends the process: going on would promise what a restart forgets.
    Cluster& save(Cluster record);
    StoredTaskDefinition& save(StoredTaskDefinition record);
    ContainerInstance& save(ContainerInstance record);
    Task& save(Task record);
    void save(const Cluster* record);
    void save(const StoredTaskDefinition* record);
    void save(const ContainerInstance* record);
    void save(const Task* record);

    /// The next revision number of a family; numbers are never used twice.
    [[nodiscard]] std::int64_t next_revision(std::string_view family) const;

    void append_history(std::string_view task_arn, std::string_view entry);
    [[nodiscard]] std::vector<std::string> history(std::string_view task_arn);

    /// Forgets tasks stopped and instances deregistered before `horizon` (epoch seconds), as the service does after an
    /// hour.
    void forget_before(double horizon);

  private:
    Store& store_;
    Identity identity_;
    std::map<std::string, Cluster, std::less<>> clusters_;                  ///< by name
    std::map<std::string, StoredTaskDefinition, std::less<>> definitions_;  ///< by "family:revision"
    std::map<std::string, ContainerInstance, std::less<>> instances_;       ///< by ARN
    std::map<std::string, Task, std::less<>> tasks_;                        ///< by ARN
};

}  // namespace nodeagent::local
