#pragma once
// What the logging program of a container is told: a file, written by the agent before the container starts, mode 0600. It
// holds no secret: credentials are asked for where `credentials` says.

#include <cstdint>
#include <map>
#include <string>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::logs {

using Options = std::map<std::string, std::string>;

/// Where requests to CloudWatch get their keys from.
struct CredentialSource {
    std::string uri;           ///< http, as the agent's endpoint of a task's execution role; "": from `agent_socket`
    std::string agent_socket;  ///< unix socket of the agent that hands out the instance's keys to root
    friend bool operator==(const CredentialSource&, const CredentialSource&) = default;
};

struct LogConfig {
    std::string driver;  ///< "awslogs", "json-file", "journald", "none"
    Options options;     ///< as Docker's LogConfig.Config
    std::string container_id, container_name;
    std::string image_name, image_id;
    std::map<std::string, std::string> labels;
    std::string log_path;    ///< json-file: its file
    std::string state_path;  ///< folder for the spool and the status; made when it is needed
    std::uint64_t spool_bytes = 0;  ///< bound of the spool; 0: none
    std::string region;      ///< awslogs without awslogs-region
    CredentialSource credentials;
    std::string ca_file;     ///< "": the system's
    std::string proxy, no_proxy;
    std::string user_agent;
};

[[nodiscard]] std::string encode(const LogConfig& config);
/// Malformed for what encode() has not made.
[[nodiscard]] Result<LogConfig> decode(const std::string& text);

/// Whether a container may have these options, in Docker's words where it may not: "unknown log opt 'x' for awslogs log
/// driver". Patterns are not looked into (line_pattern.hpp). Pure.
[[nodiscard]] Result<void> validate(const std::string& driver, const Options& options, const std::string& region);

}  // namespace nodeagent::runtime::logs
