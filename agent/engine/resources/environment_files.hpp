#pragma once
// Environment files of a task: out of S3 into <DataDir>/envfiles/<cluster>/<task id>/<bucket>/<key>, from there into
// the environment of a container, and gone at cleanup. task-engine.md 3.8.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/blocking_pool.hpp"
#include "agent/engine/resources/service_access.hpp"
#include "agent/model/payload.hpp"

namespace nodeagent::engine {

/// No environment of a process is larger: Linux gives all its strings at most 6 MiB.
inline constexpr std::size_t kLargestEnvironmentFile = 6U << 20U;

/// The directory of all environment files of all tasks, <cluster>/<task id> in it.
[[nodiscard]] std::string environment_files_root(const std::string& data_directory);
/// The directory of all environment files of a task. `cluster`: name or ARN.
[[nodiscard]] std::string environment_files_directory(const std::string& data_directory, const std::string& cluster,
                                                      const std::string& task_arn);
/// Where the file of this ARN is kept below `directory`. Malformed for what is no S3 ARN, and for a key that leads out
/// of its bucket's directory.
[[nodiscard]] Result<std::string> environment_file_path(const std::string& directory, const std::string& arn);

struct EnvironmentFilesWork {
    std::string directory;                        ///< environment_files_directory()
    std::vector<model::EnvironmentFile> sources;  ///< of one container
    std::string region;                           ///< the agent's, where a bucket's own region is asked
};

/// Downloads all at the same time, each within 30 s, mode 0600. The error is the task's stop reason, with all failures.
asio::awaitable<Result<void>> fetch_environment_files(const ServiceAccess& access, BlockingPool& disk,
                                                      EnvironmentFilesWork work, credentials::AwsCredentials signer);

/// What the files define; of several the first one counts. Blocking.
[[nodiscard]] Result<std::map<std::string, std::string>> read_environment_files(const EnvironmentFilesWork& work);

}  // namespace nodeagent::engine
