#pragma once
// Rendered v4 task documents, kept as long as the task they show is the current one. Tasks are immutable values, so
// that the pointer is the identity; holding the pointer keeps it from being reused.

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "agent/model/snapshot.hpp"
#include "metadata/instance_identity.hpp"

namespace nodeagent::metadata {

class DocumentCache {
  public:
    static constexpr std::size_t kMaxDocuments = 256;

    /// The v4 document of `task` (without tags), which is one of `snapshot`'s.
    [[nodiscard]] std::shared_ptr<const std::string> task_document(
        const std::shared_ptr<const model::Snapshot>& snapshot, const std::shared_ptr<const InstanceIdentity>& identity,
        const std::shared_ptr<const model::TaskView>& task);
    [[nodiscard]] std::size_t size() const { return documents_.size(); }

  private:
    struct Entry {
        std::shared_ptr<const model::TaskView> task;
        std::shared_ptr<const std::string> document;
    };
    void drop_outdated(const model::Snapshot& snapshot);

    std::shared_ptr<const model::Snapshot> snapshot_;
    std::shared_ptr<const InstanceIdentity> identity_;
    std::unordered_map<const model::TaskView*, Entry> documents_;
};

}  // namespace nodeagent::metadata
