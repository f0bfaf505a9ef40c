#pragma once
// Messages of the telemetry websocket (control-plane.md 8). Members that a set always has are written also when zero.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/error.hpp"
#include "agent/base/json_fields.hpp"

namespace nodeagent::model {

/// Epoch seconds with at most three decimals in the shortest form; whole seconds are an integer.
[[nodiscard]] nlohmann::json tcs_timestamp(std::chrono::system_clock::time_point when);

// ---- metrics
// -----------------------------------------------------------------------------------------------------------

struct CwStatsSet {
    double max = 0;
    double min = 0;
    std::int64_t sample_count = 0;
    double sum = 0;
    friend bool operator==(const CwStatsSet&, const CwStatsSet&) = default;
    static constexpr auto json_fields() {
        using T = CwStatsSet;
        return std::tuple{always_field("max", &T::max), always_field("min", &T::min),
                          always_field("sampleCount", &T::sample_count), always_field("sum", &T::sum)};
    }
};

/// Cumulative counters; what exceeds 2^63-1 is in the overflow members.
struct ULongStatsSet {
    std::int64_t max = 0;
    std::int64_t min = 0;
    std::int64_t overflow_max = 0;
    std::int64_t overflow_min = 0;
    std::int64_t overflow_sum = 0;
    std::int64_t sample_count = 0;
    std::int64_t sum = 0;
    friend bool operator==(const ULongStatsSet&, const ULongStatsSet&) = default;
    static constexpr auto json_fields() {
        using T = ULongStatsSet;
        return std::tuple{always_field("max", &T::max),
                          always_field("min", &T::min),
                          always_field("overflowMax", &T::overflow_max),
                          always_field("overflowMin", &T::overflow_min),
                          always_field("overflowSum", &T::overflow_sum),
                          always_field("sampleCount", &T::sample_count),
                          always_field("sum", &T::sum)};
    }
};

struct NetworkStatsSet {
    std::optional<ULongStatsSet> rx_bytes;
    std::optional<CwStatsSet> rx_bytes_per_second;
    std::optional<ULongStatsSet> rx_dropped;
    std::optional<ULongStatsSet> rx_errors;
    std::optional<ULongStatsSet> rx_packets;
    std::optional<ULongStatsSet> tx_bytes;
    std::optional<CwStatsSet> tx_bytes_per_second;
    std::optional<ULongStatsSet> tx_dropped;
    std::optional<ULongStatsSet> tx_errors;
    std::optional<ULongStatsSet> tx_packets;
    friend bool operator==(const NetworkStatsSet&, const NetworkStatsSet&) = default;
    static constexpr auto json_fields() {
        using T = NetworkStatsSet;
        return std::tuple{optional_field("rxBytes", &T::rx_bytes),
                          optional_field("rxBytesPerSecond", &T::rx_bytes_per_second),
                          optional_field("rxDropped", &T::rx_dropped),
                          optional_field("rxErrors", &T::rx_errors),
                          optional_field("rxPackets", &T::rx_packets),
                          optional_field("txBytes", &T::tx_bytes),
                          optional_field("txBytesPerSecond", &T::tx_bytes_per_second),
                          optional_field("txDropped", &T::tx_dropped),
                          optional_field("txErrors", &T::tx_errors),
                          optional_field("txPackets", &T::tx_packets)};
    }
};

struct RestartStatsSet {
    std::int64_t restart_count = 0;
    friend bool operator==(const RestartStatsSet&, const RestartStatsSet&) = default;
    static constexpr auto json_fields() {
        return std::tuple{always_field("restartCount", &RestartStatsSet::restart_count)};
    }
};

struct StorageStatsSet {
    std::optional<ULongStatsSet> read_size_bytes;
    std::optional<ULongStatsSet> write_size_bytes;
    friend bool operator==(const StorageStatsSet&, const StorageStatsSet&) = default;
    static constexpr auto json_fields() {
        using T = StorageStatsSet;
        return std::tuple{optional_field("readSizeBytes", &T::read_size_bytes),
                          optional_field("writeSizeBytes", &T::write_size_bytes)};
    }
};

struct ContainerMetric {
    std::string container_name;
    std::optional<CwStatsSet> cpu_stats_set;
    std::optional<CwStatsSet> memory_stats_set;
    std::optional<NetworkStatsSet> network_stats_set;
    std::optional<RestartStatsSet> restart_stats_set;
    std::optional<StorageStatsSet> storage_stats_set;
    friend bool operator==(const ContainerMetric&, const ContainerMetric&) = default;
    static constexpr auto json_fields() {
        using T = ContainerMetric;
        return std::tuple{optional_field("containerName", &T::container_name),
                          optional_field("cpuStatsSet", &T::cpu_stats_set),
                          optional_field("memoryStatsSet", &T::memory_stats_set),
                          optional_field("networkStatsSet", &T::network_stats_set),
                          optional_field("restartStatsSet", &T::restart_stats_set),
                          optional_field("storageStatsSet", &T::storage_stats_set)};
    }
};

struct VolumeMetric {
    std::string volume_id;
    std::string volume_name;
    std::optional<CwStatsSet> size;      ///< bytes
    std::optional<CwStatsSet> utilized;  ///< bytes
    friend bool operator==(const VolumeMetric&, const VolumeMetric&) = default;
    static constexpr auto json_fields() {
        using T = VolumeMetric;
        return std::tuple{optional_field("volumeId", &T::volume_id), optional_field("volumeName", &T::volume_name),
                          optional_field("size", &T::size), optional_field("utilized", &T::utilized)};
    }
};

struct MetricDimension {
    std::string key;
    std::string value;
    friend bool operator==(const MetricDimension&, const MetricDimension&) = default;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("key", &MetricDimension::key),
                          optional_field("value", &MetricDimension::value)};
    }
};

struct GeneralMetric {
    std::string metric_name;
    std::vector<double> metric_values;
    std::vector<std::int64_t> metric_counts;
    friend bool operator==(const GeneralMetric&, const GeneralMetric&) = default;
    static constexpr auto json_fields() {
        using T = GeneralMetric;
        return std::tuple{optional_field("metricName", &T::metric_name),
                          optional_field("metricValues", &T::metric_values),
                          optional_field("metricCounts", &T::metric_counts)};
    }
};

/// Service Connect figures that share their dimensions.
struct GeneralMetricsWrapper {
    std::vector<MetricDimension> dimensions;
    std::vector<GeneralMetric> general_metrics;
    std::string metric_type;  ///< "1" ingress, "2" egress
    friend bool operator==(const GeneralMetricsWrapper&, const GeneralMetricsWrapper&) = default;
    static constexpr auto json_fields() {
        using T = GeneralMetricsWrapper;
        return std::tuple{optional_field("dimensions", &T::dimensions),
                          optional_field("generalMetrics", &T::general_metrics),
                          optional_field("metricType", &T::metric_type)};
    }
};

struct TaskMetric {
    std::string task_arn;
    std::string task_definition_family;
    std::string task_definition_version;
    std::vector<ContainerMetric> container_metrics;
    std::vector<VolumeMetric> volume_metrics;
    std::vector<GeneralMetricsWrapper> service_connect_metrics_wrapper;
    friend bool operator==(const TaskMetric&, const TaskMetric&) = default;
    static constexpr auto json_fields() {
        using T = TaskMetric;
        return std::tuple{optional_field("taskArn", &T::task_arn),
                          optional_field("taskDefinitionFamily", &T::task_definition_family),
                          optional_field("taskDefinitionVersion", &T::task_definition_version),
                          optional_field("containerMetrics", &T::container_metrics),
                          optional_field("volumeMetrics", &T::volume_metrics),
                          optional_field("serviceConnectMetricsWrapper", &T::service_connect_metrics_wrapper)};
    }
};

struct MetricsMetadata {
    std::string cluster;
    std::string container_instance;
    bool fin = false;
    bool idle = false;
    std::string message_id;
    static constexpr auto json_fields() {
        using T = MetricsMetadata;
        return std::tuple{always_field("cluster", &T::cluster),
                          always_field("containerInstance", &T::container_instance), always_field("fin", &T::fin),
                          always_field("idle", &T::idle), always_field("messageId", &T::message_id)};
    }
};

struct PublishMetricsRequest {
    static constexpr std::string_view kType = "PublishMetricsRequest";
    MetricsMetadata metadata;
    std::vector<TaskMetric> task_metrics;
    nlohmann::json timestamp;
    static constexpr auto json_fields() {
        using T = PublishMetricsRequest;
        return std::tuple{optional_field("metadata", &T::metadata), optional_field("taskMetrics", &T::task_metrics),
                          optional_field("timestamp", &T::timestamp)};
    }
};

// ---- container health
// --------------------------------------------------------------------------------------------------

struct ContainerHealth {
    std::string container_name;
    std::string health_status;  ///< HEALTHY, UNHEALTHY, UNKNOWN
    nlohmann::json status_since;
    static constexpr auto json_fields() {
        using T = ContainerHealth;
        return std::tuple{optional_field("containerName", &T::container_name),
                          optional_field("healthStatus", &T::health_status),
                          optional_field("statusSince", &T::status_since)};
    }
};

struct TaskHealth {
    std::vector<ContainerHealth> containers;
    std::string task_arn;
    std::string task_definition_family;
    std::string task_definition_version;
    static constexpr auto json_fields() {
        using T = TaskHealth;
        return std::tuple{optional_field("containers", &T::containers), optional_field("taskArn", &T::task_arn),
                          optional_field("taskDefinitionFamily", &T::task_definition_family),
                          optional_field("taskDefinitionVersion", &T::task_definition_version)};
    }
};

struct HealthMetadata {
    std::string cluster;
    std::string container_instance;
    bool fin = false;
    std::string message_id;
    static constexpr auto json_fields() {
        using T = HealthMetadata;
        return std::tuple{always_field("cluster", &T::cluster),
                          always_field("containerInstance", &T::container_instance), always_field("fin", &T::fin),
                          always_field("messageId", &T::message_id)};
    }
};

struct PublishHealthRequest {
    static constexpr std::string_view kType = "PublishHealthRequest";
    HealthMetadata metadata;
    std::vector<TaskHealth> tasks;
    nlohmann::json timestamp;
    static constexpr auto json_fields() {
        using T = PublishHealthRequest;
        return std::tuple{optional_field("metadata", &T::metadata), optional_field("tasks", &T::tasks),
                          optional_field("timestamp", &T::timestamp)};
    }
};

// ---- instance status
// ---------------------------------------------------------------------------------------------------

struct InstanceStatus {
    nlohmann::json last_status_change;
    nlohmann::json last_updated;
    std::string status;  ///< OK, IMPAIRED, INITIALIZING
    std::string type;    ///< ContainerRuntime
    static constexpr auto json_fields() {
        using T = InstanceStatus;
        return std::tuple{optional_field("lastStatusChange", &T::last_status_change),
                          optional_field("lastUpdated", &T::last_updated), optional_field("status", &T::status),
                          optional_field("type", &T::type)};
    }
};

struct InstanceStatusMetadata {
    std::string cluster;
    std::string container_instance;
    std::string request_id;
    static constexpr auto json_fields() {
        using T = InstanceStatusMetadata;
        return std::tuple{always_field("cluster", &T::cluster),
                          always_field("containerInstance", &T::container_instance),
                          always_field("requestId", &T::request_id)};
    }
};

struct PublishInstanceStatusRequest {
    static constexpr std::string_view kType = "PublishInstanceStatusRequest";
    InstanceStatusMetadata metadata;
    std::vector<InstanceStatus> statuses;
    nlohmann::json timestamp;
    static constexpr auto json_fields() {
        using T = PublishInstanceStatusRequest;
        return std::tuple{optional_field("metadata", &T::metadata), optional_field("statuses", &T::statuses),
                          optional_field("timestamp", &T::timestamp)};
    }
};

// ---- the envelope
// ------------------------------------------------------------------------------------------------------

/// Without the signed header block that goes before it (ecs/tcs_session adds that).
[[nodiscard]] std::string encode_tcs_envelope(const PublishMetricsRequest& request);
[[nodiscard]] std::string encode_tcs_envelope(const PublishHealthRequest& request);
[[nodiscard]] std::string encode_tcs_envelope(const PublishInstanceStatusRequest& request);

enum class TcsInboundKind : std::uint8_t {
    Heartbeat,    ///< HeartbeatMessage; not answered
    Ack,          ///< AckPublishMetric, AckPublishHealth, AckPublishInstanceStatus
    StopSession,  ///< StopTelemetrySessionMessage
    Notice,       ///< exceptions, and types that only we send
};
struct TcsInbound {
    TcsInboundKind kind = TcsInboundKind::Notice;
    std::string type;
    std::string message;
};
/// Errors as decode_acs_frame: Malformed, or NotFound for an unknown type.
[[nodiscard]] Result<TcsInbound> decode_tcs_frame(std::string_view text);

}  // namespace nodeagent::model
