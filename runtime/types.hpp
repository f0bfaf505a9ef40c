#pragma once
// The vocabulary between the engine and a container runtime. Nothing of ECS's model is known here.
// Config and HostConfig documents are those of the Docker Engine API 1.41: that is what ECS itself sends (dockerConfig),
// so a merged document, not a lossy struct, is what every backend gets; containerd's backend derives its OCI spec from it.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/error.hpp"
#include "agent/base/secret.hpp"

namespace nodeagent::runtime {

using WallTime = std::chrono::system_clock::time_point;

struct RegistryAuth {
    std::string username;
    Secret password;
    std::string email;
    std::string server_address;
    [[nodiscard]] bool empty() const { return username.empty() && password.empty(); }
};

struct ContainerSpec {
    std::string name;            ///< unique on the host; the key that makes create() idempotent
    std::string api_version;     ///< Docker API version the documents were written for; "" = the backend's own
    nlohmann::json config;       ///< Image, Cmd, Env, Labels, ...
    nlohmann::json host_config;  ///< Binds, Memory, PortBindings, ...
};

struct PortBinding {
    std::uint16_t container_port = 0;
    std::uint16_t host_port = 0;
    std::string host_ip;
    std::string protocol;
    friend bool operator==(const PortBinding&, const PortBinding&) = default;
};

struct Network {
    std::string name;
    std::string ipv4_address;
    std::string ipv6_address;
    friend bool operator==(const Network&, const Network&) = default;
};

struct Mount {
    std::string name;
    std::string source;
    std::string destination;
    bool read_only = false;     ///< for VolumesFrom of another container
    std::string propagation{};  ///< likewise: "rshared"; "" as the runtime has it
    friend bool operator==(const Mount&, const Mount&) = default;
};

struct Health {
    enum class Status : std::uint8_t { None, Starting, Healthy, Unhealthy };
    Status status = Status::None;
    std::string output;  ///< of the last probe, at most 1024 bytes
    std::optional<int> exit_code;
    friend bool operator==(const Health&, const Health&) = default;
};

enum class ContainerPhase : std::uint8_t { Created, Running, Stopped };

/// A container as the runtime describes it.
struct ContainerView {
    std::string id;
    std::string name;
    ContainerPhase phase = ContainerPhase::Created;
    std::optional<int> exit_code;  ///< once it has ended
    bool oom_killed = false;
    std::string error;             ///< the runtime's own error text, "" when none
    std::string image;     ///< as create named it
    std::string image_id;
    std::vector<std::string> env;  ///< "NAME=value"; may hold secrets: never logged, never saved
    std::int64_t cpu_shares = 0;
    std::int64_t memory_bytes = 0;  ///< hard limit, 0: none
    std::map<std::string, std::string> labels;
    std::optional<WallTime> created_at, started_at, finished_at;
    std::vector<PortBinding> ports;
    std::vector<Network> networks;
    std::string network_mode;
    std::vector<Mount> mounts;
    Health health;
    std::int64_t pid = 0;
};

struct RuntimeEvent {
    enum class Kind : std::uint8_t { Created, Started, Exited, Health, Oom, Removed };
    Kind kind = Kind::Exited;
    std::string container_id;
    std::optional<int> exit_code;  ///< Exited, when the event carries it
};

struct VolumeSpec {
    std::string name;
    std::string driver;
    std::map<std::string, std::string> driver_opts;
    std::map<std::string, std::string> labels;
};

struct ImageView {
    std::string id;                         ///< "sha256:..."
    std::vector<std::string> repo_digests;  ///< "name@sha256:..."
    std::vector<std::string> repo_tags;
    std::vector<std::string> env;           ///< the image's own environment
    std::int64_t size = 0;
    std::optional<WallTime> created{};      ///< when it was built
};

struct Capabilities {
    std::string runtime;           ///< "docker", "containerd"
    std::string version;           ///< the daemon's own version: "20.10.24"
    std::vector<std::string> api_versions;  ///< those the reference would call usable or supported, ascending: "1.17".."1.44"
    std::vector<std::string> volume_plugins;  ///< docker plugin names for ecs.capability.docker-plugin.*, without "local"
    bool cgroup_v2 = false;
    bool systemd_cgroup_driver = false;
    std::vector<std::string> security_options;
    std::vector<std::string> log_drivers{};  ///< those it has; empty: all that Docker has
    std::string data_root{};  ///< folder on this host that holds images and containers; "" unknown
};

/// What the logging programs of a runtime's containers have done since the agent began to look, and what waits.
struct LogFigures {
    std::uint64_t lines = 0;  ///< that containers printed; parts of long ones counted
    std::uint64_t bytes = 0;
    std::uint64_t events = 0;           ///< that were taken where they go
    std::uint64_t requests = 0;         ///< to CloudWatch Logs
    std::uint64_t failed_requests = 0;  ///< of them; they are tried again
    std::uint64_t refused_events = 0;   ///< CloudWatch Logs said that it does not keep them
    std::uint64_t dropped_lines = 0;    ///< no room, or nobody to take them at the end
    std::uint64_t dropped_bytes = 0;
    std::uint64_t spooled_lines = 0;    ///< that memory had no room for
    std::uint64_t restarts = 0;         ///< half of a logging program was gone and was made again
    std::uint64_t abandoned_bytes = 0;  ///< of spools that were given up
    // now
    std::uint64_t loggers = 0;
    std::uint64_t buffer_bytes = 0;
    std::uint64_t spool_bytes = 0;
    std::uint64_t unsent_logs = 0;  ///< of ended containers, and what is left of them
    std::uint64_t unsent_bytes = 0;
};

struct PullProgress {
    std::uint64_t current_bytes = 0;
    std::uint64_t total_bytes = 0;  ///< 0 while unknown
    std::string status;             ///< the runtime's last word: "Downloading"
    std::size_t layers = 0;         ///< heard of so far
    std::size_t layers_done = 0;    ///< of them on the host
};

struct PullOptions {
    std::chrono::nanoseconds begin_timeout = std::chrono::minutes(5);
    std::chrono::nanoseconds inactivity_timeout = std::chrono::minutes(1);
    std::chrono::nanoseconds total_timeout = std::chrono::hours(2);
};

}  // namespace nodeagent::runtime
