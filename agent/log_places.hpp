#pragma once
// Where the containers of a task log to, told from what the task definition asked for; on containerd from what their
// logging program was told, as long as that is there.

#include <functional>
#include <optional>
#include <string>

#include "agent/config/config.hpp"
#include "agent/config/environment.hpp"
#include "agent/model/snapshot.hpp"
#include "metadata/task_logs.hpp"
#include "runtime/logs/config.hpp"

namespace nodeagent {

struct LogSurroundings {
    std::string region;      ///< the agent's: of drivers that were not given one
    bool dualstack = false;  ///< the host has IPv6 only
    std::string docker_host, docker_cert_path;
    bool docker_tls_verify = false;
    std::string containerd_folder;      ///< of containers' folders
    std::string containerd_run_folder;  ///< likewise, on tmpfs
};
[[nodiscard]] LogSurroundings log_surroundings(const config::Environment& environment, const config::Config& config);

/// What the logging program of a container was told; nothing on Docker, and after a reboot.
using LoggerConfigOf = std::function<std::optional<runtime::logs::LoggerConfig>(const std::string& container_id)>;
[[nodiscard]] LoggerConfigOf read_logger_configs(const LogSurroundings& surroundings);

/// `runtime` is "docker" or "containerd".
[[nodiscard]] metadata::TaskLogs task_logs(const model::TaskView& task, const std::string& runtime,
                                           const LogSurroundings& surroundings, const LoggerConfigOf& logger_config_of);

}  // namespace nodeagent
