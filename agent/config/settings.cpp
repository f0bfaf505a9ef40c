#include "agent/config/settings.hpp"

#include <array>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/config/special_settings.hpp"
#include "agent/config/values.hpp"

namespace nodeagent::config {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using G = Group;

template <class T>
struct MemberOf;
template <class T>
struct MemberOf<T Config::*> {
    using type = T;
};

template <class T>
constexpr std::string_view kind_of() {
    if constexpr (std::same_as<T, Toggle> || std::same_as<T, bool>) return "boolean";
    if constexpr (std::same_as<T, int> || std::same_as<T, std::uint16_t>) return "integer";
    if constexpr (std::same_as<T, double>) return "number";
    if constexpr (std::same_as<T, std::chrono::nanoseconds>) return "duration";
    if constexpr (std::same_as<T, values::Ports>) return "JSON list of ports";
    if constexpr (std::same_as<T, values::Words>) return "JSON list";
    if constexpr (std::same_as<T, values::Labels>) return "JSON map";
    if constexpr (std::same_as<T, values::Ulimits>) return "comma list";
    if constexpr (std::same_as<T, values::Lists>) return "JSON map of lists";
    if constexpr (std::is_enum_v<T>) return "word";
    return "string";
}

template <auto Member>
constexpr Setting row(Group group, std::string_view variable, std::string_view key, std::string_view help) {
    using T = typename MemberOf<decltype(Member)>::type;
    Setting setting;
    setting.group = group;
    setting.variable = variable;
    setting.key = key;
    setting.help = help;
    setting.kind = kind_of<T>();
    setting.read_text = [](const Reading& reading, Config& config, std::string_view text) {
        return values::read_text(reading, config.*Member, text);
    };
    if constexpr (requires(const Reading& r, T& out, const json& in) { values::read_json(r, out, in); }) {
        setting.read_json = [](const Reading& reading, Config& config, const json& value) {
            return values::read_json(reading, config.*Member, value);
        };
    }
    setting.show = [](const Config& config) { return values::show(config.*Member); };
    return setting;
}

// A variable that another part looks up in the environment itself, or that only the host's supervisor needs.
constexpr Setting elsewhere(Group group, std::string_view variable, std::string_view help) {
    Setting setting;
    setting.group = group;
    setting.variable = variable;
    setting.help = help;
    setting.kind = "string";
    setting.read_text = [](const Reading&, Config&, std::string_view text) {
        return text.empty() ? Found::Unset : Found::Set;
    };
    return setting;
}

constexpr std::int64_t ns(std::chrono::nanoseconds duration) { return duration.count(); }
constexpr auto kNoLimit = std::numeric_limits<std::int64_t>::max();

constexpr Bounds at_least(std::int64_t low, OutOfBounds in_environment, OutOfBounds in_file) {
    return {low, kNoLimit, in_environment, in_file};
}

template <int Config::*Mark>
Found read_watermark(const Reading& reading, Config& config, std::string_view text) {
    return read_watermark(reading, config.*Mark, text);
}

template <int Config::*Mark>
Found read_watermark_json(const Reading& reading, Config& config, const json& value) {
    if (value.is_number_integer()) return read_watermark(reading, config.*Mark, value.dump());
    std::string text;
    const Found found = values::read_json(reading, text, value);
    return found == Found::Set ? read_watermark(reading, config.*Mark, text) : found;
}

template <int Config::*Mark>
std::string show_watermark(const Config& config) {
    return config.*Mark == 0 ? "off" : std::to_string(config.*Mark);
}

constexpr Setting custom(Setting setting, std::string_view kind, decltype(Setting::read_text) text,
                         decltype(Setting::read_json) from_json) {
    setting.kind = kind;
    setting.read_text = text;
    setting.read_json = from_json;
    return setting;
}

constexpr Setting custom(Setting setting, std::string_view kind, decltype(Setting::read_text) text,
                         decltype(Setting::read_json) from_json, decltype(Setting::show) show) {
    setting = custom(setting, kind, text, from_json);
    setting.show = show;
    return setting;
}

using C = Config;
using enum OutOfBounds;

// one row per setting
// clang-format off
constexpr std::array kSettings{
    // config.md 3.1
    row<&C::cluster>(G::Identity, "ECS_CLUSTER", "Cluster", "cluster to join, name or ARN; must stay what the saved state says").trim().defaults_to("default"),
    row<&C::region>(G::Identity, "AWS_DEFAULT_REGION", "AWSRegion", "AWS region; required when the instance cannot tell").trim().defaults_to("from the instance"),
    row<&C::api_endpoint>(G::Identity, "ECS_BACKEND_HOST", "APIEndpoint", "ECS API endpoint; https:// is assumed without a scheme").trim().defaults_to("of the region"),
    row<&C::external>(G::Identity, "ECS_EXTERNAL", "External", "the machine is no EC2 instance: never ask its metadata service"),
    row<&C::no_instance_identity>(G::Identity, "", "NoIID", "register without an instance identity document"),
    row<&C::detailed_os_family>(G::Identity, "ECS_DETAILED_OS_FAMILY", "", "operating system and version, for attributes and User-Agent"),
    row<&C::ip_compatibility>(G::Identity, "ECS_INSTANCE_IP_COMPATIBILITY", "InstanceIPCompatibility", "address family of the instance").one_of("ipv4, ipv6").defaults_to("from the default routes"),
    elsewhere(G::Identity, "ECS_AGENT_CONFIG_FILE_PATH", "JSON file with settings").defaults_to("/etc/ecs_container_agent/config.json"),

    row<&C::alternate_credential_profile>(G::Credentials, "ECS_ALTERNATE_CREDENTIAL_PROFILE", "", "profile in the rotating credentials file"),
    elsewhere(G::Credentials, "AWS_ACCESS_KEY_ID", "key id of the agent's own credentials").hidden(),
    elsewhere(G::Credentials, "AWS_SECRET_ACCESS_KEY", "secret of the agent's own credentials").hidden(),
    elsewhere(G::Credentials, "AWS_SESSION_TOKEN", "session token that goes with them").hidden(),
    elsewhere(G::Credentials, "AWS_PROFILE", "profile in the shared files").defaults_to("default"),
    elsewhere(G::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "shared credentials file").defaults_to("~/.aws/credentials"),
    elsewhere(G::Credentials, "AWS_CONFIG_FILE", "shared configuration file").defaults_to("~/.aws/config"),
    elsewhere(G::Credentials, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "path of a container credentials endpoint").hidden(),
    elsewhere(G::Credentials, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "URL of a container credentials endpoint"),
    elsewhere(G::Credentials, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "Authorization header for that endpoint").hidden(),
    elsewhere(G::Credentials, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "file with that header"),
    elsewhere(G::Credentials, "AWS_EC2_METADATA_DISABLED", "true: never ask the instance metadata service").defaults_to("false"),
    elsewhere(G::Credentials, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "URL of the instance metadata service").defaults_to("http://169.254.169.254"),
    elsewhere(G::Credentials, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "address family of that service").one_of("IPv4, IPv6").defaults_to("IPv4"),
    elsewhere(G::Credentials, "AWS_EC2_METADATA_V1_DISABLED", "true: no fallback to IMDSv1").defaults_to("false"),
    elsewhere(G::Credentials, "AWS_USE_FIPS_ENDPOINT", "true: FIPS endpoints; not applied where an endpoint is given").defaults_to("false"),
    elsewhere(G::Credentials, "AWS_USE_DUALSTACK_ENDPOINT", "true: dual-stack endpoints; likewise").defaults_to("false; true on IPv6-only instances"),
    elsewhere(G::Credentials, "AWS_ENDPOINT_URL", "endpoint of all AWS services"),
    elsewhere(G::Credentials, "AWS_ENDPOINT_URL_ECS", "endpoint of ECS, after ECS_BACKEND_HOST"),
    elsewhere(G::Credentials, "AWS_ENDPOINT_URL_ECR", "endpoint of ECR, for registry tokens"),
    elsewhere(G::Credentials, "AWS_ENDPOINT_URL_SSM", "endpoint of Systems Manager, for secrets"),
    elsewhere(G::Credentials, "AWS_ENDPOINT_URL_SECRETS_MANAGER", "endpoint of Secrets Manager, for secrets"),
    elsewhere(G::Credentials, "AWS_ENDPOINT_URL_S3", "endpoint of S3, for environment files"),
    elsewhere(G::Credentials, "AWS_ENDPOINT_URL_CLOUDWATCH", "endpoint of CloudWatch, for ECS_CLOUDWATCH_METRICS"),
    elsewhere(G::Credentials, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true: those above do not count").defaults_to("false"),
    elsewhere(G::Credentials, "AWS_CA_BUNDLE", "PEM file of certificate authorities to trust instead of the system's"),
    elsewhere(G::Credentials, "SSL_CERT_FILE", "the same, after AWS_CA_BUNDLE"),
    elsewhere(G::Credentials, "SSL_CERT_DIR", "directory of certificate authorities"),
    elsewhere(G::Credentials, "AWS_MAX_ATTEMPTS", "attempts per AWS call").defaults_to("each call's own").inactive(),

    // 3.2
    row<&C::reserved_ports>(G::Registration, "ECS_RESERVED_PORTS", "ReservedPorts", "TCP ports that tasks may not have"),
    row<&C::reserved_ports_udp>(G::Registration, "ECS_RESERVED_PORTS_UDP", "ReservedPortsUDP", "UDP ports that tasks may not have"),
    row<&C::reserved_memory>(G::Registration, "ECS_RESERVED_MEMORY", "ReservedMemory", "MiB kept back from tasks"),
    row<&C::instance_attributes>(G::Registration, "ECS_INSTANCE_ATTRIBUTES", "InstanceAttributes", "custom attributes of the container instance").or_fatal(),
    row<&C::container_instance_tags>(G::Registration, "ECS_CONTAINER_INSTANCE_TAGS", "ContainerInstanceTags", "tags of the container instance").or_fatal(),
    row<&C::propagate_tags_from>(G::Registration, "ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM", "ContainerInstancePropagateTagsFrom", "take tags from the EC2 instance too").one_of("none, ec2_instance"),
    row<&C::available_logging_drivers>(G::Registration, "ECS_AVAILABLE_LOGGING_DRIVERS", "AvailableLoggingDrivers", "log drivers tasks may ask for; an unknown one is fatal"),
    row<&C::volume_plugin_capabilities>(G::Registration, "ECS_VOLUME_PLUGIN_CAPABILITIES", "VolumePluginCapabilities", "what the volume plugin of EFS can do").inactive(),
    row<&C::privileged_disabled>(G::Registration, "ECS_DISABLE_PRIVILEGED", "PrivilegedDisabled", "refuse privileged containers"),
    row<&C::selinux_capable>(G::Registration, "ECS_SELINUX_CAPABLE", "SELinuxCapable", "advertise SELinux"),
    row<&C::apparmor_capable>(G::Registration, "ECS_APPARMOR_CAPABLE", "AppArmorCapable", "advertise AppArmor"),
    row<&C::gpu_support>(G::Registration, "ECS_ENABLE_GPU_SUPPORT", "GPUSupportEnabled", "NVIDIA GPUs for tasks, as /var/lib/ecs/gpu/nvidia-gpu-info.json lists them"),
    row<&C::nvidia_runtime>(G::Registration, "ECS_NVIDIA_RUNTIME", "NvidiaRuntime", "runtime for GPU containers").trim(),
    row<&C::inferentia_support>(G::Registration, "ECS_ENABLE_INF_SUPPORT", "InferentiaSupportEnabled", "runtime `neuron` for containers that set AWS_NEURON_VISIBLE_DEVICES"),
    custom(row<&C::ebs_task_attach>(G::Registration, "ECS_EBSTA_SUPPORTED", "EBSTASupportEnabled", "attach EBS volumes to tasks").inactive(), "boolean", read_ebs, row<&C::ebs_task_attach>(G::Registration, "", "", "").read_json),
    row<&C::warm_pools_check>(G::Registration, "ECS_WARM_POOLS_CHECK", "WarmPoolsSupport", "wait for InService before registering").inactive(),
    row<&C::spot_draining>(G::Registration, "ECS_ENABLE_SPOT_INSTANCE_DRAINING", "SpotInstanceDrainingEnabled", "drain on a spot interruption"),
    row<&C::gmsa_capable>(G::Registration, "ECS_GMSA_SUPPORTED", "GMSACapable", "gMSA for domain-joined hosts").inactive(),
    row<&C::gmsa_domainless_capable>(G::Registration, "", "GMSADomainlessCapable", "gMSA without joining the domain; from the environment with ECS_GMSA_SUPPORTED").inactive(),
    elsewhere(G::Registration, "CREDENTIALS_FETCHER_HOST_DIR", "socket of the gMSA credentials fetcher").inactive(),
    elsewhere(G::Registration, "CREDENTIALS_FETCHER_SECRET_NAME_FOR_DOMAINLESS_GMSA", "name of the secret for domainless gMSA").inactive(),
    elsewhere(G::Registration, "ECS_DOMAIN_JOINED_LINUX_INSTANCE", "the host has joined a domain").inactive(),
    elsewhere(G::Registration, "ZZZ_SKIP_DOMAIN_JOIN_CHECK_NOT_SUPPORTED_IN_PRODUCTION", "test override of the gMSA check").inactive(),
    elsewhere(G::Registration, "ZZZ_SKIP_DOMAIN_LESS_CHECK_NOT_SUPPORTED_IN_PRODUCTION", "test override of the domainless gMSA check").inactive(),

    // 3.3
    row<&C::data_dir>(G::State, "ECS_DATADIR", "DataDir", "where the agent keeps its state"),
    row<&C::host_data_dir>(G::State, "ECS_HOST_DATA_DIR", "DataDirOnHost", "for an agent in a container: directory of the host in which its ECS_DATADIR is").defaults_to("none: ECS_DATADIR is a path of the host"),
    custom(row<&C::checkpoint>(G::State, "ECS_CHECKPOINT", "Checkpoint", "keep state across restarts; off means a new container instance each time"), "boolean", read_checkpoint, read_checkpoint_json).defaults_to("true if ECS_DATADIR is set, else false"),
    row<&C::control_socket>(G::State, "ECS_CONTROL_SOCKET", "ControlSocket", "unix socket of ecs-node drain and undrain, for root and the agent's own user"),

    // 3.4
    row<&C::runtime>(G::Engine, "ECS_RUNTIME", "Runtime", "what runs the containers; auto: containerd where no Docker answers").one_of("docker, containerd, auto"),
    row<&C::containerd_address>(G::Engine, "ECS_CONTAINERD_ADDRESS", "ContainerdAddress", "containerd's socket"),
    row<&C::containerd_namespace>(G::Engine, "ECS_CONTAINERD_NAMESPACE", "ContainerdNamespace", "namespace of tasks in containerd, this agent's alone"),
    row<&C::containerd_snapshotter>(G::Engine, "ECS_CONTAINERD_SNAPSHOTTER", "ContainerdSnapshotter", "snapshotter plugin for images and containers").defaults_to("overlayfs where it works, else native"),
    row<&C::registry_mirrors>(G::Engine, "ECS_REGISTRY_MIRRORS", "RegistryMirrors", "on containerd: mirrors by registry, asked in order before it, such as {\"docker.io\":[\"https://mirror.example\"]}; they get no credentials but their own"),
    row<&C::insecure_registries>(G::Engine, "ECS_INSECURE_REGISTRIES", "InsecureRegistries", "on containerd: registries, as host:port or network, that may be spoken to without TLS or with a certificate that is not trusted; loopback always may"),
    row<&C::log_spool_mb>(G::Engine, "ECS_AWSLOGS_SPOOL_SIZE_MB", "AwslogsSpoolSizeMB", "on containerd: disk space in MiB of one container's log lines that CloudWatch Logs has not taken; 0: none").within({0, 65536, Clamp, Clamp}),
    row<&C::image_layers_parallel>(G::Engine, "ECS_IMAGE_LAYERS_PARALLEL", "ImageLayersParallel", "on containerd: layers of one image fetched at the same time").within({1, 16, Clamp, Clamp}),
    row<&C::containerd_bridge>(G::Engine, "ECS_CONTAINERD_BRIDGE", "ContainerdBridge", "bridge that containers in network mode bridge are on; made when it is needed"),
    row<&C::containerd_subnet>(G::Engine, "ECS_CONTAINERD_SUBNET", "ContainerdSubnet", "their network, such as 172.18.0.0/16; a change waits until the bridge is gone").defaults_to("the first of 172.18.0.0/16 to 172.31.0.0/16 that overlaps no route; then kept"),
    row<&C::containerd_cni_plugin_path>(G::Engine, "ECS_CONTAINERD_CNI_PLUGIN_PATH", "ContainerdCNIPluginPath", "folders with the CNI plugins bridge and host-local, separated by colons"),
    row<&C::default_ulimits>(G::Engine, "ECS_DEFAULT_ULIMITS", "DefaultUlimits", "limits of containers on containerd that set none of that name, as dockerd's --default-ulimit: nofile=32768:65536,core=0"),
    row<&C::docker_host>(G::Engine, "DOCKER_HOST", "DockerEndpoint", "Docker's socket"),
    elsewhere(G::Engine, "DOCKER_TLS_VERIFY", "any text: verify the certificate of a tcp DOCKER_HOST"),
    elsewhere(G::Engine, "DOCKER_CERT_PATH", "directory with ca.pem, cert.pem and key.pem for it"),
    row<&C::engine_auth_type>(G::Engine, "ECS_ENGINE_AUTH_TYPE", "EngineAuthType", "format of the registry credentials").trim().one_of("dockercfg, docker"),
    row<&C::engine_auth_data>(G::Engine, "ECS_ENGINE_AUTH_DATA", "EngineAuthData", "registry credentials, JSON; never printed").hidden(),
    row<&C::task_cleanup_wait>(G::Engine, "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION", "TaskCleanupWaitDuration", "how long a stopped task's containers are kept").within(at_least(ns(1s), Reset, Reset)),
    row<&C::task_cleanup_wait_jitter>(G::Engine, "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION_JITTER", "TaskCleanupWaitDurationJitter", "random addition to that"),
    row<&C::manifest_pull_timeout>(G::Engine, "ECS_MANIFEST_PULL_TIMEOUT", "ManifestPullTimeout", "for resolving an image's digest").within(at_least(ns(30s), Clamp, Clamp)),
    row<&C::container_stop_timeout>(G::Engine, "ECS_CONTAINER_STOP_TIMEOUT", "DockerStopTimeout", "grace before a container is killed").within(at_least(ns(1s), Clamp, Fatal)),
    row<&C::container_start_timeout>(G::Engine, "ECS_CONTAINER_START_TIMEOUT", "ContainerStartTimeout", "for starting a container").within(at_least(ns(45s), Clamp, Fatal)),
    row<&C::container_create_timeout>(G::Engine, "ECS_CONTAINER_CREATE_TIMEOUT", "ContainerCreateTimeout", "for creating a container").within(at_least(ns(1min), Clamp, Keep)),
    row<&C::pull_dependents_upfront>(G::Engine, "ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT", "DependentContainersPullUpfront", "pull images before dependencies are met"),
    row<&C::image_pull_inactivity_timeout>(G::Engine, "ECS_IMAGE_PULL_INACTIVITY_TIMEOUT", "ImagePullInactivityTimeout", "a pull without progress for so long fails").within(at_least(ns(1min), Clamp, Reset)),
    row<&C::image_pull_timeout>(G::Engine, "ECS_IMAGE_PULL_TIMEOUT", "ImagePullTimeout", "for a whole pull"),
    row<&C::image_pull_behavior>(G::Engine, "ECS_IMAGE_PULL_BEHAVIOR", "ImagePullBehavior", "when to pull; any other word means default").one_of("default, always, once, prefer-cached"),
    row<&C::image_pull_parallel>(G::Engine, "ECS_IMAGE_PULL_PARALLEL", "ImagePullParallel", "pulls at the same time; the reference has no limit").within({1, 64, Clamp, Clamp}).defaults_to("automatic: twice the cores within 4 and 16; 2 if Docker's disk rotates").shown_by(show_parallel_pulls),
    custom(row<&C::task_queue_overtake_after>(G::Engine, "ECS_TASK_QUEUE_OVERTAKE_AFTER", "TaskQueueOvertakeAfter", "how long the first task in the queue for CPU, memory, ports and GPUs must have waited before later ones that fit may pass it; off: never, as in the reference"), "duration or off", read_overtaking, read_overtaking_json, show_overtaking),
    row<&C::task_queue_max_overtaken>(G::Engine, "ECS_TASK_QUEUE_MAX_OVERTAKEN", "TaskQueueMaxOvertaken", "once the first task has waited so long, none passes it any more; not above ECS_TASK_QUEUE_OVERTAKE_AFTER: none ever does"),
    row<&C::task_cpu_mem_limit>(G::Engine, "ECS_ENABLE_TASK_CPU_MEM_LIMIT", "TaskCPUMemLimit", "task-level CPU and memory limits; fatal if asked for and impossible"),
    row<&C::cgroup_path>(G::Engine, "ECS_CGROUP_PATH", "CgroupPath", "where cgroups are mounted"),
    row<&C::cgroup_cpu_period>(G::Engine, "ECS_CGROUP_CPU_PERIOD", "CgroupCPUPeriod", "CFS period of task limits").within({ns(8ms), ns(100ms), Reset, Reset}),
    row<&C::task_pids_limit>(G::Engine, "ECS_TASK_PIDS_LIMIT", "TaskPidsLimit", "processes per task; 0 is no limit").trim().within({1, 4194304, Unset, Unset}),
    row<&C::propagate_task_memory_limit_cgroup_v2>(G::Engine, "ECS_PROPAGATE_TASK_MEMORY_LIMIT_CGROUPV2", "PropagateTaskMemoryLimitCgroupV2", "give the task's memory limit to its containers on cgroup v2"),
    row<&C::container_metadata>(G::Engine, "ECS_ENABLE_CONTAINER_METADATA", "ContainerMetadataEnabled", "write a metadata file per container"),
    row<&C::shared_volume_match_full_config>(G::Engine, "ECS_SHARED_VOLUME_MATCH_FULL_CONFIG", "SharedVolumeMatchFullConfig", "compare labels and options of shared volumes too"),
    row<&C::firelens_async>(G::Engine, "ECS_ENABLE_FIRELENS_ASYNC", "FirelensAsyncEnabled", "asynchronous connection to the FireLens router").inactive(),
    row<&C::awslogs_executionrole_override>(G::Engine, "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE", "OverrideAWSLogsExecutionRole", "let awslogs use the execution role"),
    row<&C::disable_docker_health_check>(G::Engine, "ECS_DISABLE_DOCKER_HEALTH_CHECK", "DisableDockerHealthCheck", "advertise no container health checks"),
    custom(row<&C::dynamic_port_first>(G::Engine, "ECS_DYNAMIC_HOST_PORT_RANGE", "DynamicHostPortRange", "host ports for dynamic mappings"), "first-last", read_port_range, read_port_range_json, show_port_range).defaults_to("the kernel's ip_local_port_range, else 49153-65535"),
    custom(row<&C::exclude_ipv6_port_binding>(G::Engine, "ECS_EXCLUDE_IPV6_PORTBINDING", "ShouldExcludeIPv6PortBinding", "leave IPv6 bindings out of reports"), "boolean", read_ipv6_exclusion, read_ipv6_exclusion_json).defaults_to("true; false on IPv6-only instances"),
    row<&C::pause_labels>(G::Engine, "ECS_PAUSE_LABELS", "", "labels of pause containers"),
    row<&C::pause_image_tarball>(G::Engine, "", "PauseContainerTarballPath", "image archive of the pause container").inactive(),
    row<&C::pause_image_name>(G::Engine, "", "PauseContainerImageName", "image of the pause container").inactive(),
    row<&C::pause_image_tag>(G::Engine, "", "PauseContainerTag", "tag of that image").inactive(),
    row<&C::eni_pause_cleanup_delay_seconds>(G::Engine, "", "ENIPauseContainerCleanupDelaySeconds", "seconds to keep a pause container").inactive(),

    // 3.5
    row<&C::image_cleanup_disabled>(G::Images, "ECS_DISABLE_IMAGE_CLEANUP", "ImageCleanupDisabled", "never delete images"),
    row<&C::image_cleanup_interval>(G::Images, "ECS_IMAGE_CLEANUP_INTERVAL", "ImageCleanupInterval", "time between clean-ups").within(at_least(ns(10min), Reset, Reset)),
    row<&C::image_minimum_age>(G::Images, "ECS_IMAGE_MINIMUM_CLEANUP_AGE", "MinimumImageDeletionAge", "youngest image of a task to delete"),
    row<&C::non_ecs_image_minimum_age>(G::Images, "NON_ECS_IMAGE_MINIMUM_CLEANUP_AGE", "NonECSMinimumImageDeletionAge", "youngest other image to delete"),
    row<&C::images_delete_per_cycle>(G::Images, "ECS_NUM_IMAGES_DELETE_PER_CYCLE", "NumImagesToDeletePerCycle", "images per clean-up").within(at_least(1, Reset, Reset)),
    row<&C::non_ecs_containers_delete_per_cycle>(G::Images, "NONECS_NUM_CONTAINERS_DELETE_PER_CYCLE", "NumNonECSContainersToDeletePerCycle", "other containers per clean-up"),
    row<&C::untracked_image_cleanup>(G::Images, "ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP", "DeleteNonECSImagesEnabled", "delete other images and containers too"),
    custom(row<&C::exclude_untracked_images>(G::Images, "ECS_EXCLUDE_UNTRACKED_IMAGE", "ImageCleanupExclusionList", "images never to delete"), "comma list", read_image_exclusions, row<&C::exclude_untracked_images>(G::Images, "", "", "").read_json, show_image_exclusions),
    custom(row<&C::image_high_watermark>(G::Images, "ECS_IMAGE_CLEANUP_HIGH_WATERMARK", "ImageCleanupHighWatermark", "percent of Docker's disk in use, bytes or inodes, from which unused images are deleted whatever their age"), "percent or off", read_watermark<&C::image_high_watermark>, read_watermark_json<&C::image_high_watermark>, show_watermark<&C::image_high_watermark>),
    custom(row<&C::image_low_watermark>(G::Images, "ECS_IMAGE_CLEANUP_LOW_WATERMARK", "ImageCleanupLowWatermark", "percent at which that ends, held below the high one; off turns both off"), "percent or off", read_watermark<&C::image_low_watermark>, read_watermark_json<&C::image_low_watermark>, show_watermark<&C::image_low_watermark>),

    // 3.6
    row<&C::task_iam_role>(G::Metadata, "ECS_ENABLE_TASK_IAM_ROLE", "TaskIAMRoleEnabled", "credentials for tasks with a role"),
    row<&C::task_iam_role_network_host>(G::Metadata, "ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST", "TaskIAMRoleEnabledForNetworkHost", "also in network mode host"),
    row<&C::audit_logfile>(G::Metadata, "ECS_AUDIT_LOGFILE", "CredentialsAuditLogFile", "one line per credentials request"),
    row<&C::audit_logfile_disabled>(G::Metadata, "ECS_AUDIT_LOGFILE_DISABLED", "CredentialsAuditLogDisabled", "write no audit log"),
    custom(row<&C::metadata_steady_rate>(G::Metadata, "ECS_TASK_METADATA_RPS_LIMIT", "TaskMetadataSteadyStateRate", "requests per second and burst, per source and path"), "rate,burst", row<&C::metadata_steady_rate>(G::Metadata, "", "", "").read_text, row<&C::metadata_steady_rate>(G::Metadata, "", "", "").read_json, show_rate),
    row<&C::metadata_burst>(G::Metadata, "", "TaskMetadataBurstRate", "burst of the same; in the environment the second number above"),
    row<&C::task_metadata_az_disabled>(G::Metadata, "ECS_DISABLE_TASK_METADATA_AZ", "TaskMetadataAZDisabled", "leave the availability zone out of task metadata"),

    row<&C::task_eni>(G::Networking, "ECS_ENABLE_TASK_ENI", "TaskENIEnabled", "network mode awsvpc").inactive(),
    row<&C::eni_trunking>(G::Networking, "ECS_ENABLE_HIGH_DENSITY_ENI", "ENITrunkingEnabled", "trunk interfaces").defaults_to("true with task ENI, else false").inactive(),
    row<&C::cni_plugins_path>(G::Networking, "ECS_CNI_PLUGINS_PATH", "CNIPluginsPath", "where the CNI plugins are").inactive(),
    row<&C::awsvpc_block_imds>(G::Networking, "ECS_AWSVPC_BLOCK_IMDS", "AWSVPCBlockInstanceMetdata", "no instance metadata for awsvpc tasks").inactive(),
    row<&C::bridge_block_imds>(G::Networking, "ECS_BRIDGE_BLOCK_IMDS", "BridgeBlockIMDS", "no instance metadata for containers on Docker's default bridge or ECS_CONTAINERD_BRIDGE"),
    custom(row<&C::awsvpc_additional_local_routes>(G::Networking, "ECS_AWSVPC_ADDITIONAL_LOCAL_ROUTES", "AWSVPCAdditionalLocalRoutes", "networks awsvpc tasks reach through the host").or_fatal().inactive(), "JSON list of networks", read_routes, read_routes_json),
    custom(row<&C::override_awsvpc_local_ipv4_address>(G::Networking, "", "OverrideAWSVPCLocalIPv4Address", "address of the bridge for awsvpc tasks").inactive(), "network", nullptr, read_local_address_json),
    elsewhere(G::Networking, "HTTP_PROXY", "proxy for http; http_proxy too").hidden(),
    elsewhere(G::Networking, "HTTPS_PROXY", "proxy for https; https_proxy too").hidden(),
    elsewhere(G::Networking, "NO_PROXY", "hosts to reach directly; no_proxy too").defaults_to("169.254.169.254,169.254.170.2 and Docker's socket"),

    // 3.7
    row<&C::disable_metrics>(G::Telemetry, "ECS_DISABLE_METRICS", "DisableMetrics", "send no metrics; the connection is still opened"),
    row<&C::poll_metrics>(G::Telemetry, "ECS_POLL_METRICS", "PollMetrics", "sample containers at the interval below instead of every second"),
    row<&C::poll_metrics_wait>(G::Telemetry, "ECS_POLLING_METRICS_WAIT_DURATION", "PollingMetricsWaitDuration", "that interval; held within 5s and 20s with ECS_POLL_METRICS"),
    row<&C::prometheus_metrics>(G::Telemetry, "ECS_ENABLE_PROMETHEUS_METRICS", "PrometheusMetricsEnabled", "serve metrics in Prometheus's format on port 51680, which is then reserved"),
    custom(row<&C::prometheus_address>(G::Telemetry, "ECS_PROMETHEUS_METRICS_ADDRESS", "PrometheusMetricsAddress", "serve them on this IP address only; 127.0.0.1: to this machine").defaults_to("all addresses"), "IP address", read_prometheus_address, read_prometheus_address_json),
    row<&C::cloudwatch_metrics>(G::Telemetry, "ECS_CLOUDWATCH_METRICS", "CloudWatchMetrics", "send metrics of Container Insights to CloudWatch without the telemetry endpoint; detailed: of every task and container too").one_of("off, standard, detailed"),
    row<&C::updates_enabled>(G::Telemetry, "ECS_UPDATES_ENABLED", "UpdatesEnabled", "let the service update the agent").inactive(),
    row<&C::update_download_dir>(G::Telemetry, "ECS_UPDATE_DOWNLOAD_DIR", "UpdateDownloadDir", "where updates are put").inactive(),
    row<&C::runtime_stats>(G::Telemetry, "ECS_ENABLE_RUNTIME_STATS", "EnableRuntimeStats", "log the agent's own statistics").inactive(),
    row<&C::runtime_stats_logfile>(G::Telemetry, "", "RuntimeStatsLogFile", "file for them").inactive(),
    row<&C::csi_driver_socket>(G::Telemetry, "", "CSIDriverSocketPath", "socket of the EBS CSI driver").inactive(),
    row<&C::node_stage_timeout>(G::Telemetry, "", "NodeStageTimeout", "for attaching an EBS volume").inactive(),
    row<&C::node_unstage_timeout>(G::Telemetry, "", "NodeUnstageTimeout", "for detaching one").inactive(),
    row<&C::healthcheck_host>(G::Telemetry, "ECS_AGENT_HEALTHCHECK_HOST", "", "host that -healthcheck asks"),

    row<&C::log_level>(G::Logging, "ECS_LOGLEVEL", "", "level of the stream").one_of("crit, error, warn, info, debug"),
    row<&C::log_level_on_instance>(G::Logging, "ECS_LOGLEVEL_ON_INSTANCE", "", "level of the file").one_of("none, crit, error, warn, info, debug").defaults_to("ECS_LOGLEVEL; none with ECS_LOG_DRIVER"),
    row<&C::log_file>(G::Logging, "ECS_LOGFILE", "", "log file; none when empty"),
    row<&C::log_driver>(G::Logging, "ECS_LOG_DRIVER", "", "Docker log driver of the agent; only its presence matters here"),
    row<&C::log_rollover>(G::Logging, "ECS_LOG_ROLLOVER_TYPE", "", "when to start a new file").one_of("size, hourly, none"),
    row<&C::log_format>(G::Logging, "ECS_LOG_OUTPUT_FORMAT", "", "format of log lines").one_of("logfmt, json"),
    row<&C::log_max_file_size_mb>(G::Logging, "ECS_LOG_MAX_FILE_SIZE_MB", "", "size of a file, in millions of bytes"),
    row<&C::log_max_roll_count>(G::Logging, "ECS_LOG_MAX_ROLL_COUNT", "", "old files to keep"),

    row<&C::host_setup>(G::Supervisor, "ECS_HOST_SETUP", "HostSetup", "the agent makes the host's rules itself when it starts, for which it needs CAP_NET_ADMIN; not needed where ecs-host-setup.service runs"),
    row<&C::skip_localhost_filter>(G::Supervisor, "ECS_SKIP_LOCALHOST_TRAFFIC_FILTER", "", "make no rule that keeps the network from this host's 127.0.0.0/8"),
    row<&C::allow_offhost_introspection>(G::Supervisor, "ECS_ALLOW_OFFHOST_INTROSPECTION_ACCESS", "", "let the network reach port 51678, too"),
    elsewhere(G::Supervisor, "ECS_OFFHOST_INTROSPECTION_INTERFACE_NAME", "interface on which it is blocked").inactive(),
    elsewhere(G::Supervisor, "ECS_AGENT_LABELS", "labels of the agent's own container").inactive(),
    elsewhere(G::Supervisor, "ECS_AGENT_APPARMOR_PROFILE", "AppArmor profile of the agent's own container").inactive(),
    elsewhere(G::Supervisor, "ECS_AGENT_PID_NAMESPACE_HOST", "host PID namespace for the agent's own container").inactive(),
    elsewhere(G::Supervisor, "ECS_AGENT_RUN_PRIVILEGED", "run the agent's own container privileged").inactive(),
    elsewhere(G::Supervisor, "ECS_LOG_OPTS", "options of ECS_LOG_DRIVER").inactive(),
};
// clang-format on

std::string bound_text(const Setting& setting, std::int64_t bound) {
    return setting.kind == "duration" ? go_duration(std::chrono::nanoseconds(bound)) : std::to_string(bound);
}

std::string consequence(const Setting& setting, OutOfBounds rule) {
    switch (rule) {
        case Keep: return "used as given";
        case Clamp:
            return setting.bounds.high == Bounds{}.high ? bound_text(setting, setting.bounds.low)
                                                        : "the nearest of them";
        case Reset: return "the default";
        case Unset: return "ignored";
        case Fatal: return "refused";
    }
    return {};
}

}  // namespace

void Reading::warn(std::string_view what) const {
    complaints.warnings.push_back(std::string(setting.name()) + " (" + std::string(source) + "): " + std::string(what));
}

void Reading::fail(std::string_view what) const {
    complaints.problems.push_back(std::string(setting.name()) + " (" + std::string(source) + "): " + std::string(what));
}

std::span<const Setting> settings() { return kSettings; }

std::string_view title(Group group) {
    switch (group) {
        case Group::Identity: return "Identity and endpoints";
        case Group::Credentials: return "AWS credentials and SDK";
        case Group::Registration: return "Registration";
        case Group::State: return "State";
        case Group::Engine: return "Tasks and containers";
        case Group::Images: return "Image cleanup";
        case Group::Metadata: return "Task roles and metadata";
        case Group::Networking: return "Networking";
        case Group::Telemetry: return "Telemetry, updates, diagnostics";
        case Group::Logging: return "Logging";
        case Group::Supervisor: return "Host set-up (read by what starts the agent)";
    }
    return {};
}

std::string default_of(const Setting& setting) {
    if (!setting.default_text.empty()) return std::string(setting.default_text);
    return setting.show == nullptr ? std::string() : setting.show(Config{});
}

std::string bounds_of(const Setting& setting) {
    const Bounds& bounds = setting.bounds;
    constexpr Bounds kNone{};
    if (bounds.low == kNone.low && bounds.high == kNone.high) return {};
    std::string text = bounds.high == kNone.high
                           ? "at least " + bound_text(setting, bounds.low)
                           : bound_text(setting, bounds.low) + " to " + bound_text(setting, bounds.high);
    text += ", else " + consequence(setting, bounds.in_environment);
    if (bounds.in_file != bounds.in_environment) {
        text += " (environment) or " + consequence(setting, bounds.in_file) + " (file)";
    }
    return text;
}

}  // namespace nodeagent::config
