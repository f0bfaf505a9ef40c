#pragma once
// The immutable view of all tasks that readers (metadata, introspection, telemetry, metrics) get. The engine builds a
// new TaskView when a task changes and publishes a new Snapshot; readers keep the one they hold as long as they like.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/model/payload.hpp"
#include "agent/model/status.hpp"

namespace nodeagent::model {

using WallTime = std::chrono::system_clock::time_point;

/// A port as the runtime bound it.
struct PortBinding {
    std::uint16_t container_port = 0;
    std::uint16_t host_port = 0;
    std::string bind_ip;   ///< "0.0.0.0", "::"
    std::string protocol;  ///< "tcp", "udp"
    friend bool operator==(const PortBinding&, const PortBinding&) = default;
};

struct NetworkView {
    std::string mode;          ///< network name as the runtime calls it: "bridge", "host"
    std::string ipv4_address;  ///< may be empty
    std::string ipv6_address;
    friend bool operator==(const NetworkView&, const NetworkView&) = default;
};

struct VolumeView {
    std::string docker_name;
    std::string source;
    std::string destination;
    friend bool operator==(const VolumeView&, const VolumeView&) = default;
};

struct HealthView {
    HealthStatus status = HealthStatus::Unknown;
    std::optional<WallTime> since;
    std::optional<int> exit_code;
    std::string output;
    friend bool operator==(const HealthView&, const HealthView&) = default;
};

/// A pull (or the question for an image's digest) under way, for people: it is shown, never saved.
struct PullView {
    bool queued = false;  ///< waits for one of the parallel pulls to end
    int attempt = 0;      ///< 1: the first; 0 while queued
    std::optional<WallTime> since;
    std::uint64_t current_bytes = 0, total_bytes = 0;  ///< total 0: not known yet
    std::size_t layers = 0, layers_done = 0;
    std::string last_error;            ///< of the attempt before this one
    std::optional<WallTime> retry_at;  ///< set between two attempts
    friend bool operator==(const PullView&, const PullView&) = default;
};

struct ContainerView {
    std::string name;
    std::string docker_id;    ///< empty before create
    std::string docker_name;  ///< without leading '/'; empty before create
    std::string endpoint_id;  ///< the id in metadata URIs
    std::string image;
    std::string image_id;
    std::string container_arn;
    std::string type = "NORMAL";  ///< endpoints.md 2.6
    bool essential = false;
    bool pulled_only = false;  ///< known to be pulled, not created: v4 lists it last
    ContainerStatus desired = ContainerStatus::None;
    ContainerStatus known = ContainerStatus::None;
    std::optional<int> exit_code;
    std::int64_t cpu = 0;                    ///< CPU shares of the payload
    std::int64_t memory = 0;                 ///< MiB of the payload
    std::int64_t memory_reservation = 0;     ///< MiB, the soft limit; 0: none
    std::vector<PortBinding> ports;          ///< observed
    std::vector<PortMapping> payload_ports;  ///< asked for
    std::map<std::string, std::string> labels;
    std::optional<WallTime> created_at, started_at, finished_at;
    std::vector<NetworkView> networks;
    bool network_known = false;   ///< the runtime has told the network settings
    bool health_checked = false;  ///< healthCheckType is docker
    HealthView health;
    std::vector<VolumeView> volumes;
    std::string log_driver;
    std::map<std::string, std::string> log_options;
    std::optional<std::int64_t> restart_count;  ///< set when the restart policy is enabled
    std::int64_t pid = 0;                       ///< init process on the host while running; 0 unknown
    std::string last_error;                     ///< "CannotPullContainerError: ...", for people
    std::optional<PullView> pull{};
};

struct TaskView {
    std::string arn;
    std::string family;
    std::string version;
    std::string service_name;
    std::string launch_type;
    std::string network_mode;
    TaskStatus desired = TaskStatus::None;
    TaskStatus known = TaskStatus::None;
    TaskStatus sent = TaskStatus::None;
    double cpu = 0;           ///< vCPU
    std::int64_t memory = 0;  ///< MiB
    bool internal = false;
    bool fault_injection_enabled = false;
    std::optional<WallTime> pull_started_at, pull_stopped_at, execution_stopped_at;
    std::string stop_reason;
    std::string waiting_for;  ///< one sentence, empty when it waits for nothing
    std::string credentials_id, execution_credentials_id;
    std::vector<Association> associations;
    std::optional<ElasticNetworkInterface> network_interface{};  ///< the first ENI of an awsvpc task
    std::string local_ipv4_address{};  ///< of an awsvpc task on the agent's own bridge: v2 requests come from it
    std::vector<ContainerView> containers;
};

struct Snapshot {
    std::map<std::string, std::shared_ptr<const TaskView>> tasks;  ///< by ARN
    struct ContainerKey {
        std::shared_ptr<const TaskView> task;
        std::size_t index = 0;
        [[nodiscard]] const ContainerView& container() const { return task->containers[index]; }
    };
    std::unordered_map<std::string, ContainerKey> by_endpoint_id;  ///< containers that have been created
    std::map<std::string, ContainerKey> by_docker_id;              ///< ordered, for prefix search
};

/// Where the engine puts the current Snapshot and any thread takes it from.
class SnapshotBoard {
  public:
    void publish(std::shared_ptr<const Snapshot> next) { std::atomic_store(&current_, std::move(next)); }
    [[nodiscard]] std::shared_ptr<const Snapshot> current() const { return std::atomic_load(&current_); }

  private:
    std::shared_ptr<const Snapshot> current_ = std::make_shared<const Snapshot>();
};

}  // namespace nodeagent::model
