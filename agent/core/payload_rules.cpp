#include "agent/core/payload_rules.hpp"

#include <limits>
#include <set>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/model/status.hpp"

namespace nodeagent::core {

namespace {

constexpr std::int64_t kLargestPort = std::numeric_limits<std::uint16_t>::max();

Error malformed(std::string what) { return {.kind = ErrorKind::Malformed, .what = std::move(what), .cause = {}}; }

Result<void> check_range(const std::string& at, std::int64_t value, std::int64_t largest) {
    if (value >= 0 && value <= largest) return {};
    return malformed(at + ": " + std::to_string(value) + " is out of range, 0 to " + std::to_string(largest) +
                     " is allowed");
}

Result<void> check_port_mapping(const model::PortMapping& mapping, const std::string& at) {
    if (mapping.protocol && *mapping.protocol != "tcp" && *mapping.protocol != "udp") {
        // the reference's own words for it, which quote the JSON
        return malformed("TransportProtocol must be \"tcp\" or \"udp\"; Got \"" + *mapping.protocol + "\" (" + at +
                         ".protocol)");
    }
    if (auto r = check_range(at + ".containerPort", mapping.container_port, kLargestPort); !r) return r;
    return check_range(at + ".hostPort", mapping.host_port, kLargestPort);
}

Result<void> check_container(const model::Container& container, const std::string& at) {
    constexpr std::int64_t kLargest = std::numeric_limits<std::uint32_t>::max();
    if (container.name.empty()) return malformed(at + ".name: required, but missing");
    if (container.name.starts_with(kInternalPrefix)) {
        return malformed(at + ".name: " + container.name + " is reserved for the agent's own containers");
    }
    if (auto r = check_range(at + ".cpu", container.cpu, kLargest); !r) return r;
    if (auto r = check_range(at + ".memory", container.memory, kLargest); !r) return r;
    if (auto r = check_range(at + ".startTimeout", container.start_timeout, kLargest); !r) return r;
    if (auto r = check_range(at + ".stopTimeout", container.stop_timeout, kLargest); !r) return r;
    if (container.restart_policy) {
        const std::string period = at + ".restartPolicy.restartAttemptPeriod";
        if (auto r = check_range(period, container.restart_policy->restart_attempt_period, kLargest); !r) return r;
    }
    for (std::size_t i = 0; i < container.port_mappings.size(); ++i) {
        const std::string mapping = at + ".portMappings[" + std::to_string(i) + "]";
        if (auto r = check_port_mapping(container.port_mappings[i], mapping); !r) return r;
    }
    const auto command = overridden_command(container.overrides);
    if (!command) return malformed(at + ".overrides: " + command.error().what);
    return {};
}

/// Volumes of these attachments come without a type of their own.
bool is_of_attachment(const model::Volume& volume, const model::Task& task) {
    for (const model::Attachment& attachment : task.attachments) {
        if (attachment.attachment_type != "amazonebs" && attachment.attachment_type != "s3files") continue;
        for (const model::KeyValue& property : attachment.attachment_properties) {
            if (property.name == "volumeName" && property.value == volume.name) return true;
        }
    }
    return false;
}

Result<void> check_volume(const model::Volume& volume, const model::Task& task, const std::string& at) {
    if (volume.name.empty()) return malformed(at + ".name: required, but missing");
    if (volume.type.empty() && is_of_attachment(volume, task)) return {};
    if (volume.type.empty() || volume.type == "host") {
        if (!volume.host) return malformed("invalid volume: empty volume configuration (" + at + ".host)");
        return {};
    }
    if (volume.type == "docker") {
        if (!volume.docker)
            return malformed("invalid volume: empty volume configuration (" + at + ".dockerVolumeConfiguration)");
        return {};
    }
    if (volume.type == "efs" || volume.type == "fsxWindowsFileServer") return {};
    return malformed("unrecognized volume type: \"" + volume.type + "\" (" + at + ".type)");
}

Result<void> check_credentials(const std::optional<model::RoleCredentials>& credentials, const std::string& at) {
    if (credentials && credentials->credentials_id.empty())
        return malformed(at + ".credentialsId: required, but missing");
    return {};
}

}  // namespace

Result<std::optional<std::vector<std::string>>> overridden_command(const nlohmann::json& overrides) {
    using Command = std::optional<std::vector<std::string>>;
    if (overrides.is_null()) return Command{};
    if (overrides.is_string()) {
        const std::string& text = overrides.get_ref<const std::string&>();
        if (trimmed(text).empty()) return Command{};
        const Result<Json> inner = parse_json(text);
        if (!inner) return malformed("the string does not hold a JSON object: " + inner.error().what);
        if (inner->is_string()) return malformed("the string holds another string, an object was expected");
        return overridden_command(*inner);
    }
    if (!overrides.is_object()) return malformed("expected an object, or a string that holds one");
    Command command;
    for (const auto& [key, value] : overrides.items()) {
        if (!equals_ignoring_case(key, "command"))
            return malformed("unknown member \"" + key + "\", only \"command\" can be overridden");
        if (value.is_null()) continue;
        auto words = decode_document<std::vector<std::string>>(value, "command");
        if (!words) return std::move(words).error();
        command = std::move(*words);
    }
    return command;
}

Result<void> check_payload(const model::Task& task) {
    if (!model::parse_task_status(task.desired_status)) {
        return malformed("Unrecognized TaskStatus \"" + task.desired_status + "\"");
    }
    if (!(task.cpu >= 0)) return malformed("cpu: " + std::to_string(task.cpu) + " is negative");
    if (task.cpu > 1'000'000) return malformed("cpu: " + std::to_string(task.cpu) + " is out of range");
    if (auto r = check_range("memory", task.memory, std::numeric_limits<std::int64_t>::max() / (1024 * 1024)); !r)
        return r;
    if (auto r = check_credentials(task.role_credentials, "roleCredentials"); !r) return r;
    if (auto r = check_credentials(task.execution_role_credentials, "executionRoleCredentials"); !r) return r;
    if (task.proxy_configuration.is_object()) {
        const Json* type = json_detail::member(task.proxy_configuration, "type");
        if (type == nullptr || !type->is_string() || type->get_ref<const std::string&>() != "APPMESH") {
            return malformed("proxyConfiguration.type: only APPMESH is known");
        }
    }
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < task.containers.size(); ++i) {
        const std::string at = "containers[" + std::to_string(i) + "]";
        if (auto r = check_container(task.containers[i], at); !r) return r;
        if (!names.insert(task.containers[i].name).second) {
            return malformed(at + ".name: another container is called " + task.containers[i].name + " too");
        }
    }
    for (std::size_t i = 0; i < task.volumes.size(); ++i) {
        if (auto r = check_volume(task.volumes[i], task, "volumes[" + std::to_string(i) + "]"); !r) return r;
    }
    return {};
}

}  // namespace nodeagent::core
