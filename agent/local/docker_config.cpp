#include "agent/local/docker_config.hpp"

#include <algorithm>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::local {
namespace {

constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

/// The minor number of the highest Docker API version that something needed so far.
struct ApiVersion {
    int minor = 18;
    void needs(int version) { minor = std::max(minor, version); }
};

OrderedJson config_of(const ContainerDefinition& container, ApiVersion& api) {
    OrderedJson config = OrderedJson::object();
    if (!container.user.empty()) config["User"] = container.user;
    if (!container.hostname.empty()) config["Hostname"] = container.hostname;
    if (!container.working_directory.empty()) config["WorkingDir"] = container.working_directory;
    if (container.disable_networking) config["NetworkDisabled"] = *container.disable_networking;
    if (container.interactive) config["OpenStdin"] = *container.interactive;
    if (container.pseudo_terminal) config["Tty"] = *container.pseudo_terminal;
    if (!container.docker_labels.empty()) config["Labels"] = container.docker_labels;
    if (container.health_check) {
        const HealthCheckDefinition& check = *container.health_check;
        OrderedJson health;
        health["Test"] = check.command;
        health["Interval"] = check.interval.value_or(30) * kNanoseconds;
        health["Timeout"] = check.timeout.value_or(5) * kNanoseconds;
        if (check.start_period) health["StartPeriod"] = *check.start_period * kNanoseconds;
        health["Retries"] = check.retries.value_or(3);
        config["Healthcheck"] = std::move(health);
        api.needs(24);
    }
    return config;
}

std::string cgroup_permissions(const Strings& permissions) {
    if (permissions.empty()) return "rwm";
    std::string letters;
    for (const std::string& word : permissions) letters += word == "read" ? "r" : word == "write" ? "w" : "m";
    return letters;
}

void add_linux_parameters(OrderedJson& host, const LinuxParameters& linux_parameters, std::int64_t memory,
                          ApiVersion& api) {
    if (linux_parameters.capabilities) {
        host["CapAdd"] = linux_parameters.capabilities->add;
        host["CapDrop"] = linux_parameters.capabilities->drop;
    }
    for (const DeviceDefinition& device : linux_parameters.devices) {
        OrderedJson entry;
        entry["PathOnHost"] = device.host_path;
        entry["PathInContainer"] = device.container_path.empty() ? device.host_path : device.container_path;
        entry["CgroupPermissions"] = cgroup_permissions(device.permissions);
        host["Devices"].push_back(std::move(entry));
    }
    if (linux_parameters.init_process_enabled) {
        host["Init"] = *linux_parameters.init_process_enabled;
        api.needs(25);
    }
    if (linux_parameters.shared_memory_size) {
        host["ShmSize"] = *linux_parameters.shared_memory_size * kMiB;
        api.needs(22);
    }
    for (const TmpfsDefinition& tmpfs : linux_parameters.tmpfs) {
        Strings options = tmpfs.mount_options;
        options.push_back("size=" + std::to_string(tmpfs.size) + "m");
        host["Tmpfs"][tmpfs.container_path] = join(options, ",");
        api.needs(22);
    }
    // Docker counts memory and swap together; -1 is unlimited swap in both notations
    if (linux_parameters.max_swap && memory > 0) {
        host["MemorySwap"] = *linux_parameters.max_swap < 0 ? -1 : (memory + *linux_parameters.max_swap) * kMiB;
    }
    if (linux_parameters.swappiness) {
        host["MemorySwappiness"] = *linux_parameters.swappiness;
        api.needs(20);
    }
}

/// Docker's driver knows no prefix: the service makes the stream's name of it.
StringMap log_options(const ContainerDefinition& container, std::string_view task_id) {
    StringMap options = container.log_configuration->options;
    if (container.log_configuration->log_driver != "awslogs") return options;
    if (const auto prefix = options.extract("awslogs-stream-prefix"); !prefix.empty()) {
        options["awslogs-stream"] = prefix.mapped() + "/" + container.name + "/" + std::string(task_id);
    }
    return options;
}

OrderedJson host_config_of(const ContainerDefinition& container, std::string_view task_id,
                           const std::string& network_mode, std::int64_t memory, std::int64_t memory_reservation,
                           ApiVersion& api) {
    OrderedJson host = OrderedJson::object();
    host["NetworkMode"] = network_mode;
    host["CapAdd"] = OrderedJson::array();
    host["CapDrop"] = OrderedJson::array();
    if (memory_reservation > 0) {
        host["MemoryReservation"] = memory_reservation * kMiB;
        api.needs(21);
    }
    if (container.privileged) host["Privileged"] = *container.privileged;
    if (container.readonly_root_filesystem) host["ReadonlyRootfs"] = *container.readonly_root_filesystem;
    for (const UlimitDefinition& limit : container.ulimits) {
        OrderedJson entry;
        entry["Name"] = limit.name;
        entry["Soft"] = limit.soft_limit;
        entry["Hard"] = limit.hard_limit;
        host["Ulimits"].push_back(std::move(entry));
    }
    for (const HostEntry& entry : container.extra_hosts)
        host["ExtraHosts"].push_back(entry.hostname + ":" + entry.ip_address);
    if (!container.dns_servers.empty()) host["Dns"] = container.dns_servers;
    if (!container.dns_search_domains.empty()) host["DnsSearch"] = container.dns_search_domains;
    if (!container.docker_security_options.empty()) host["SecurityOpt"] = container.docker_security_options;
    for (const SystemControl& control : container.system_controls) {
        host["Sysctls"][control.name_space] = control.value;
        api.needs(24);
    }
    if (container.log_configuration) {
        OrderedJson log;
        log["Type"] = container.log_configuration->log_driver;
        log["Config"] = log_options(container, task_id);
        host["LogConfig"] = std::move(log);
    }
    if (container.linux_parameters) add_linux_parameters(host, *container.linux_parameters, memory, api);
    return host;
}

}  // namespace

DockerConfigTexts docker_config(const ContainerDefinition& container, std::string_view task_id,
                                const std::string& network_mode, std::int64_t memory, std::int64_t memory_reservation) {
    ApiVersion api;
    DockerConfigTexts texts;
    texts.config = dump_json(config_of(container, api));
    texts.host_config = dump_json(host_config_of(container, task_id, network_mode, memory, memory_reservation, api));
    texts.version = "1." + std::to_string(api.minor);
    return texts;
}

}  // namespace nodeagent::local
