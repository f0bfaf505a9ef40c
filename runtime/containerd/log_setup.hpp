#pragma once
// Where a container's output goes: the log driver's options checked, and the logging program that the shim starts.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "runtime/containerd/client.hpp"
#include "runtime/containerd/record.hpp"

namespace nodeagent::runtime::containerd {

/// How CloudWatch Logs is reached from this host.
struct LogRoute {
    std::string endpoint;  ///< "https://logs.us-west-2.amazonaws.com"
    std::string proxy;     ///< "http://[user:password@]host:port"; empty: none
};

struct LogOptions {
    std::string program;  ///< path of ecs-awslogs; "": not installed, and containers have no log but `none`
    std::string region;
    std::string credentials_host = "http://127.0.0.1:51679";  ///< of the credentials endpoint
    std::string agent_socket;  ///< hands out the instance's keys to root; "": from the instance's metadata
    std::uint64_t spool_bytes = 64U << 20U;         ///< of each container; 0: no spool
    std::string ca_file, ca_directory, user_agent;  ///< certificates: a file, a hashed directory, or the system's
    /// By region and the option awslogs-endpoint, which may be empty. Not set: the region's endpoint, no proxy.
    std::function<LogRoute(const std::string& region, const std::string& endpoint)> route;
};

/// What can be asked for in LogConfig's Type; also what is advertised.
[[nodiscard]] std::vector<std::string> log_drivers(const LogOptions& options);

/// HostConfig's LogConfig; Malformed in Docker's words.
[[nodiscard]] Result<void> check_log_config(const nlohmann::json& host_config, const LogOptions& options);

/// Where the driver json-file of a container writes, and where its logging program finds its configuration.
[[nodiscard]] std::string json_log_file(const std::string& folder, const std::string& container_id);
[[nodiscard]] std::string logger_config_file(const std::string& run_folder);

/// Writes the program's configuration into `run_folder`, on tmpfs, because a proxy's password may be in it, and names
/// the streams that start it. Logs and spool are below `folder`, as is the configuration without what may be secret,
/// for the time after the container's end (leftover_config). Empty streams for `none`.
[[nodiscard]] Result<Streams> set_up_logs(const LogOptions& options, const std::string& folder,
                                          const std::string& run_folder, const Container& container,
                                          const Creation& creation);

/// A program that sends what a spool still holds ends after this, sent or not.
inline constexpr std::chrono::seconds kSendingLasts{120};
/// The text of the configuration for it, from what set_up_logs() kept in `folder`, wherever that was moved since.
[[nodiscard]] Result<std::string> leftover_config(const LogOptions& options, const std::string& folder);

}  // namespace nodeagent::runtime::containerd
