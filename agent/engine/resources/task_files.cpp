#include "agent/engine/resources/task_files.hpp"

#include "agent/engine/resources/environment_files.hpp"
#include "agent/engine/resources/metadata_files.hpp"
#include "agent/engine/resources/task_directories.hpp"

namespace nodeagent::engine {

Result<void> remove_task_files(const std::string& data_directory, const std::string& cluster,
                               const std::string& task_arn) {
    Result<void> removed = remove_task_directory(environment_files_directory(data_directory, cluster, task_arn));
    const Result<std::string> metadata = metadata_files_directory(data_directory, task_arn);
    if (!metadata) return removed;  // then none were written
    const Result<void> also = remove_task_directory(*metadata);
    return removed ? also : removed;
}

}  // namespace nodeagent::engine
