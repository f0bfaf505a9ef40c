#pragma once
// What the agent tells ecs-awslogs about one container: a JSON file, mode 0600, written before the container starts.
// The program gets its path alone ("ecs-awslogs config <path>"), so nothing of it is in a process list; and the file
// holds no secret: credentials are asked for where `credentials` says.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/json_fields.hpp"

namespace nodeagent::runtime::logs {

/// Where credentials come from; the first that is set counts. None: the EC2 instance's role, from its metadata.
struct CredentialsSource {
    std::string uri;           ///< GET gives the documents of the agent's credentials endpoint (an execution role)
    std::string socket;        ///< likewise GET /v1/instance-credentials of the agent's control socket
    bool environment = false;  ///< AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN of the program

    static constexpr auto json_fields() {
        return std::tuple{optional_field("uri", &CredentialsSource::uri),
                          optional_field("socket", &CredentialsSource::socket),
                          optional_field("environment", &CredentialsSource::environment)};
    }
};

/// Where lines go that memory has no room for. One directory belongs to one container.
struct SpoolConfig {
    std::string directory;          ///< made, mode 0700, when it is first needed; empty: no spool
    std::uint64_t max_bytes = 0;    ///< 0: no spool
    std::uint64_t seconds = 14400;  ///< a logger whose container has ended tries this long to send what is left

    static constexpr auto json_fields() {
        return std::tuple{optional_field("directory", &SpoolConfig::directory),
                          optional_field("max_bytes", &SpoolConfig::max_bytes),
                          optional_field("seconds", &SpoolConfig::seconds)};
    }
};

struct LoggerConfig {
    std::string driver;  ///< awslogs, json-file, journald, none
    std::map<std::string, std::string>
        options;  ///< LogConfig.Config as Docker has it, "mode" and "max-buffer-size" too
    std::string container_id;
    std::string container_name;  ///< as Docker shows it; a first '/' does not count
    std::string image;           ///< as the task definition names it
    std::string image_id;        ///< sha256:...
    std::string command;         ///< entry point and arguments, for the tag {{.Command}}
    std::map<std::string, std::string> labels;
    std::map<std::string, std::string> env;  ///< only those that the options "env" and "env-regex" ask for: no secrets
    std::string user_agent;
    std::string region;  ///< the agent's; the option awslogs-region counts first
    CredentialsSource credentials;
    SpoolConfig spool;
    std::string status_file;   ///< where the program tells its counts (status.hpp); empty: nowhere
    std::string log_file;      ///< json-file: where lines go
    std::string endpoint;      ///< of the service; the option awslogs-endpoint counts first; empty: the region's
    std::string proxy;         ///< "http://[user:password@]host:port" for requests to the service; empty: none
    std::string ca_file;       ///< certificates to trust instead of the system's; empty: the system's
    std::string ca_directory;  ///< likewise, named by their subjects' hashes
    std::string journal_socket = "/run/systemd/journal/socket";

    static constexpr auto json_fields() {
        return std::tuple{required_field("driver", &LoggerConfig::driver),
                          optional_field("options", &LoggerConfig::options),
                          required_field("container_id", &LoggerConfig::container_id),
                          optional_field("container_name", &LoggerConfig::container_name),
                          optional_field("image", &LoggerConfig::image),
                          optional_field("image_id", &LoggerConfig::image_id),
                          optional_field("command", &LoggerConfig::command),
                          optional_field("labels", &LoggerConfig::labels),
                          optional_field("env", &LoggerConfig::env),
                          optional_field("user_agent", &LoggerConfig::user_agent),
                          optional_field("region", &LoggerConfig::region),
                          optional_field("credentials", &LoggerConfig::credentials),
                          optional_field("spool", &LoggerConfig::spool),
                          optional_field("status_file", &LoggerConfig::status_file),
                          optional_field("log_file", &LoggerConfig::log_file),
                          optional_field("endpoint", &LoggerConfig::endpoint),
                          optional_field("proxy", &LoggerConfig::proxy),
                          optional_field("ca_file", &LoggerConfig::ca_file),
                          optional_field("ca_directory", &LoggerConfig::ca_directory),
                          optional_field("journal_socket", &LoggerConfig::journal_socket)};
    }
};

using LogOptions = std::map<std::string, std::string>;

/// What Docker checks when a container is created, with its words: "unknown log opt 'x' for awslogs log driver". Also
/// what it would find out at the start: patterns and tags. Malformed; an unknown driver likewise.
[[nodiscard]] Result<void> validate(std::string_view driver, const LogOptions& options);

/// The text of the file, and back (Malformed; not validated).
[[nodiscard]] std::string encode_config(const LoggerConfig& config);
[[nodiscard]] Result<LoggerConfig> decode_config(std::string_view text);

/// "10m", "1.5 GB", "4096": powers of 1024 (Docker's RAMInBytes); nothing if malformed or negative.
[[nodiscard]] std::optional<std::uint64_t> ram_bytes(std::string_view text);
/// Likewise with powers of 1000, as max-size of json-file has it (FromHumanSize).
[[nodiscard]] std::optional<std::uint64_t> human_bytes(std::string_view text);
/// Go's ParseBool: 1, t, T, TRUE, true, True, and their opposites.
[[nodiscard]] std::optional<bool> go_bool(std::string_view text);

}  // namespace nodeagent::runtime::logs
