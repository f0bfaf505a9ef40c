#pragma once
// The logs of containers on Docker, by its logs API: drivers json-file, journald, local, and what else Docker can read.

#include <memory>
#include <string>

#include "agent/cli/logs/source.hpp"
#include "runtime/docker/backend.hpp"

namespace nodeagent::cli {

/// What Docker says of a container's log.
struct DockerLog {
    std::string driver;
    bool terminal = false;
    std::map<std::string, std::string> awslogs;  ///< the driver's options, only those that say where the log is
};

/// Malformed: `options` cannot be used. Unavailable, with a remedy: Docker does not answer. NotFound: no such
/// container.
asio::awaitable<Result<DockerLog>> inspect_docker_log(runtime::docker::Options options, std::string container_id);

[[nodiscard]] std::unique_ptr<LogSource> docker_source(runtime::docker::Options options, std::string container_id,
                                                       bool terminal, LogWindow window);

}  // namespace nodeagent::cli
