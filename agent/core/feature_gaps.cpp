#include "agent/core/feature_gaps.hpp"

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::core {

namespace {

bool logs_through_firelens(const model::Container& container) {
    if (!container.docker_config || container.docker_config->host_config.empty()) return false;
    const Result<Json> host_config = parse_json(container.docker_config->host_config);
    if (!host_config || !host_config->is_object()) return false;
    const Json* log = json_detail::member(*host_config, "LogConfig");
    if (log == nullptr || !log->is_object()) return false;
    const Json* type = json_detail::member(*log, "Type");
    return type != nullptr && type->is_string() && type->get_ref<const std::string&>() == "awsfirelens";
}

std::string missing_in(const model::Container& container) {
    const std::string where = " (container " + container.name + ")";
    if (container.firelens_configuration || logs_through_firelens(container)) return "FireLens log routing" + where;
    if (!container.managed_agents.empty()) return "ECS Exec" + where;
    if (!container.credential_specs.empty()) return "gMSA credential specs" + where;
    return {};
}

}  // namespace

std::string missing_feature(const model::Task& task) {
    if (equals_ignoring_case(task.network_mode, "awsvpc") || !task.elastic_network_interfaces.empty()) {
        return "network mode awsvpc";
    }
    if (task.proxy_configuration.is_object()) return "App Mesh proxies";
    for (const model::Attachment& attachment : task.attachments) {
        if (attachment.attachment_type == "serviceconnectdetail") return "Service Connect";
        if (attachment.attachment_type == "amazonebs") return "Amazon EBS volumes";
        if (attachment.attachment_type == "s3files") return "S3 Files volumes";
    }
    for (const model::Volume& volume : task.volumes) {
        if (volume.type == "efs") return "Amazon EFS volumes (volume " + volume.name + ")";
        if (volume.type == "fsxWindowsFileServer")
            return "FSx for Windows File Server volumes (volume " + volume.name + ")";
    }
    for (const model::Container& container : task.containers) {
        std::string missing = missing_in(container);
        if (!missing.empty()) return missing;
    }
    return {};
}

}  // namespace nodeagent::core
