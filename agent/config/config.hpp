#pragma once
// Every setting of the agent with its default. settings.cpp has the one row per setting that gives it name, parser,
// bounds and help; load.cpp merges the sources. Values here are final: trimmed, defaulted, bounded (config.md).

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/log.hpp"
#include "agent/base/rotating_file.hpp"
#include "agent/base/secret.hpp"

namespace nodeagent::config {

enum class ImagePullBehavior : std::uint8_t { Default, Always, Once, PreferCached };
enum class PropagateTags : std::uint8_t { None, Ec2Instance };
enum class IpCompatibility : std::uint8_t { Auto, Ipv4, Ipv6 };
enum class CloudWatchMetrics : std::uint8_t { Off, Standard, Detailed };
enum class ContainerRuntime : std::uint8_t { Docker, Containerd, Auto };
using LogRollover = Rollover;

/// A boolean that remembers whether an operator set it: "on by default" and "asked for" differ when it is impossible.
struct Toggle {
    std::optional<bool> set;
    bool fallback = false;
    [[nodiscard]] bool enabled() const { return set.value_or(fallback); }
    [[nodiscard]] bool explicitly_enabled() const { return set.value_or(false); }
};

struct DefaultUlimit {
    std::string name;                 ///< "nofile"
    std::int64_t soft = 0, hard = 0;  ///< -1: none
    friend bool operator==(const DefaultUlimit&, const DefaultUlimit&) = default;
};

/// Of the metrics for Prometheus; the reference's.
inline constexpr std::uint16_t kPrometheusPort = 51680;

struct Config {
    // Identity, endpoints (config.md 3.1)
    std::string cluster;  ///< name or ARN; empty: resolved to "default" at registration
    std::string region;
    std::string api_endpoint;  ///< ECS_BACKEND_HOST with a scheme; empty: from the region
    Toggle external;
    std::string alternate_credential_profile = "default";
    bool no_instance_identity = false;  ///< NoIID
    std::string detailed_os_family = "LINUX";
    IpCompatibility ip_compatibility = IpCompatibility::Auto;
    bool ipv6_only = false;  ///< decided from the above and the host's routes

    // Registration content (3.2)
    std::vector<std::uint16_t> reserved_ports{22, 2375, 2376, 51678, 51679};
    std::vector<std::uint16_t> reserved_ports_udp;
    std::uint16_t reserved_memory = 0;  ///< MiB
    std::map<std::string, std::string> instance_attributes;
    std::map<std::string, std::string> container_instance_tags;
    PropagateTags propagate_tags_from = PropagateTags::None;
    std::vector<std::string> available_logging_drivers{"json-file", "none"};
    std::vector<std::string> volume_plugin_capabilities;
    Toggle privileged_disabled;
    Toggle selinux_capable;
    Toggle apparmor_capable;
    bool gpu_support = false;
    std::string nvidia_runtime = "nvidia";
    bool inferentia_support = false;
    bool ebs_task_attach = true;
    Toggle warm_pools_check;
    Toggle spot_draining;
    bool gmsa_capable = false;
    bool gmsa_domainless_capable = false;

    // State (3.3)
    std::string data_dir = "/data/";
    std::string host_data_dir;  ///< "": the agent runs on the host
    bool checkpoint = false;
    std::string control_socket = "/run/ecs-node-agent/control.sock";

    // Task engine (3.4)
    ContainerRuntime runtime = ContainerRuntime::Docker;
    std::string containerd_address = "/run/containerd/containerd.sock";
    std::string containerd_namespace = "ecs";
    std::string containerd_snapshotter;                                ///< "": overlayfs where it works, else native
    std::map<std::string, std::vector<std::string>> registry_mirrors;  ///< host -> URLs, asked in order
    std::vector<std::string> insecure_registries;                      ///< hosts and networks
    int log_spool_mb = 64;                                             ///< of each container
    int image_layers_parallel = 3;                                     ///< of one pull
    std::string containerd_bridge = "ecs0";
    std::string containerd_subnet;
    std::vector<DefaultUlimit> default_ulimits;
    std::string containerd_cni_plugin_path = "/opt/cni/bin:/usr/lib/cni:/usr/libexec/cni";
    std::string docker_host = "unix:///var/run/docker.sock";
    std::string engine_auth_type;
    Secret engine_auth_data;  ///< raw JSON
    std::chrono::nanoseconds task_cleanup_wait = std::chrono::hours(3);
    std::chrono::nanoseconds task_cleanup_wait_jitter{0};
    std::chrono::nanoseconds manifest_pull_timeout = std::chrono::minutes(1);
    std::chrono::nanoseconds container_stop_timeout = std::chrono::seconds(30);
    std::chrono::nanoseconds container_start_timeout = std::chrono::minutes(3);
    std::chrono::nanoseconds container_create_timeout = std::chrono::minutes(4);
    Toggle pull_dependents_upfront;
    std::chrono::nanoseconds image_pull_inactivity_timeout = std::chrono::minutes(1);
    std::chrono::nanoseconds image_pull_timeout = std::chrono::hours(2);
    ImagePullBehavior image_pull_behavior = ImagePullBehavior::Default;
    int image_pull_parallel = 0;                                                    ///< 0: from cores and disk
    std::chrono::nanoseconds task_queue_overtake_after = std::chrono::seconds(30);  ///< 0: never
    std::chrono::nanoseconds task_queue_max_overtaken = std::chrono::minutes(10);
    Toggle task_cpu_mem_limit{.set = {}, .fallback = true};
    std::string cgroup_path = "/sys/fs/cgroup";
    std::chrono::nanoseconds cgroup_cpu_period = std::chrono::milliseconds(100);
    int task_pids_limit = 0;  ///< 0: none
    Toggle propagate_task_memory_limit_cgroup_v2;
    Toggle container_metadata;
    Toggle shared_volume_match_full_config;
    Toggle firelens_async{.set = {}, .fallback = true};
    Toggle awslogs_executionrole_override;
    Toggle disable_docker_health_check;
    std::uint16_t dynamic_port_first = 49153;  ///< inclusive; from the setting, the kernel's range, or these defaults
    std::uint16_t dynamic_port_last = 65535;   ///< inclusive
    bool exclude_ipv6_port_binding = true;     ///< false on IPv6-only hosts unless set
    std::map<std::string, std::string> pause_labels;
    std::string pause_image_tarball = "/images/amazon-ecs-pause.tar";
    std::string pause_image_name = "amazon/amazon-ecs-pause";
    std::string pause_image_tag = "0.1.0";
    int eni_pause_cleanup_delay_seconds = 0;

    // Image cleanup (3.5)
    Toggle image_cleanup_disabled;
    std::chrono::nanoseconds image_cleanup_interval = std::chrono::minutes(30);
    std::chrono::nanoseconds image_minimum_age = std::chrono::hours(1);
    std::chrono::nanoseconds non_ecs_image_minimum_age = std::chrono::hours(1);
    int images_delete_per_cycle = 5;
    int non_ecs_containers_delete_per_cycle = 5;
    Toggle untracked_image_cleanup;
    std::vector<std::string> exclude_untracked_images;
    int image_high_watermark = 85;  ///< percent of the disk in use, bytes or inodes; 0: off
    int image_low_watermark = 80;   ///< percent; below the high one

    // Task IAM, metadata, networking (3.6)
    Toggle task_iam_role;
    bool task_iam_role_network_host = false;
    std::string audit_logfile = "/log/audit.log";
    bool audit_logfile_disabled = false;
    int metadata_steady_rate = 40;  ///< requests per second, per source and path
    int metadata_burst = 60;
    bool task_metadata_az_disabled = false;
    Toggle task_eni;
    Toggle eni_trunking;
    std::string cni_plugins_path = "/amazon-ecs-cni-plugins";
    Toggle awsvpc_block_imds;
    Toggle bridge_block_imds;
    std::vector<std::string> awsvpc_additional_local_routes;
    std::string override_awsvpc_local_ipv4_address;

    // Telemetry, updates, logging (3.7)
    Toggle disable_metrics;
    Toggle poll_metrics;
    std::chrono::nanoseconds poll_metrics_wait = std::chrono::seconds(10);
    Toggle updates_enabled;
    std::string update_download_dir;
    bool prometheus_metrics = false;
    std::string prometheus_address;  ///< empty: all
    CloudWatchMetrics cloudwatch_metrics = CloudWatchMetrics::Off;
    Toggle runtime_stats;
    std::string runtime_stats_logfile = "/log/agent-runtime-stats.log";
    std::string csi_driver_socket = "/var/run/ecs/ebs-csi-driver/csi-driver.sock";
    std::chrono::nanoseconds node_stage_timeout = std::chrono::seconds(2);
    std::chrono::nanoseconds node_unstage_timeout = std::chrono::seconds(30);
    log::Level log_level = log::Level::Info;
    log::Level log_level_on_instance = log::Level::Info;
    std::string log_file;
    std::string log_driver;
    LogRollover log_rollover = LogRollover::Size;
    log::Format log_format = log::Format::Logfmt;
    double log_max_file_size_mb = 5;
    int log_max_roll_count = 24;
    std::string healthcheck_host = "localhost";

    // Host set-up (host.md 1.3)
    bool host_setup = false;  ///< the agent does it itself when it starts
    Toggle skip_localhost_filter;
    Toggle allow_offhost_introspection;

    // Command line
    bool insecure_tls = false;    ///< -k
    bool blackhole_imds = false;  ///< -blackhole-ec2-metadata, implied by external
};

}  // namespace nodeagent::config
