#pragma once
// Where metadata files are: <DataDir>/metadata/<cluster>/<task id>/<container>/ecs-container-metadata.json. The last
// directory is what the container has mounted. endpoints.md 7.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::config {
struct Config;
}

namespace nodeagent::engine {

/// The directory of the files of all tasks.
[[nodiscard]] std::string metadata_files_root(const std::string& data_directory);
/// Of one task. Malformed for an ARN that leads out of the directory of all.
[[nodiscard]] Result<std::string> metadata_files_directory(const std::string& data_directory,
                                                           const std::string& task_arn);
/// Of one container. Malformed likewise.
[[nodiscard]] Result<std::string> metadata_file_directory(const std::string& data_directory,
                                                          const std::string& task_arn, const std::string& container);

/// A path below ECS_DATADIR as Docker knows it: the same, for an agent that runs on the host. With ECS_HOST_DATA_DIR
/// the agent runs in a container and has <ECS_HOST_DATA_DIR><ECS_DATADIR> of the host as ECS_DATADIR, like the
/// reference; unless ECS_DATADIR lies in that directory already and so is a path of the host.
[[nodiscard]] std::string path_on_host(const config::Config& config, const std::string& path);

/// Makes the container's directory and writes the file. Blocking.
[[nodiscard]] Result<void> create_metadata_file(const std::string& directory, std::string_view document);
/// Replaces the file. Its directory must be there: a container would not see another one made in its place. Blocking.
[[nodiscard]] Result<void> update_metadata_file(const std::string& directory, std::string_view document);

}  // namespace nodeagent::engine
