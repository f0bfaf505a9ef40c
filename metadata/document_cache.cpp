#include "metadata/document_cache.hpp"

#include "metadata/task_metadata_v4.hpp"

namespace nodeagent::metadata {

void DocumentCache::drop_outdated(const model::Snapshot& snapshot) {
    std::erase_if(documents_, [&](const auto& entry) {
        const auto current = snapshot.tasks.find(entry.second.task->arn);
        return current == snapshot.tasks.end() || current->second != entry.second.task;
    });
}

std::shared_ptr<const std::string> DocumentCache::task_document(const std::shared_ptr<const model::Snapshot>& snapshot,
                                                                const std::shared_ptr<const InstanceIdentity>& identity,
                                                                const std::shared_ptr<const model::TaskView>& task) {
    if (identity != identity_) {
        documents_.clear();
        identity_ = identity;
    }
    if (snapshot != snapshot_) {
        drop_outdated(*snapshot);
        snapshot_ = snapshot;
    }
    if (const auto found = documents_.find(task.get()); found != documents_.end()) return found->second.document;
    auto document = std::make_shared<const std::string>(v4_task_document(*task, *identity, nullptr));
    if (documents_.size() >= kMaxDocuments) documents_.clear();
    documents_.emplace(task.get(), Entry{.task = task, .document = document});
    return document;
}

}  // namespace nodeagent::metadata
