#include "agent/start_checks.hpp"

#include "agent/base/json.hpp"

namespace nodeagent {

Identity compare_identity(const engine::StoredState& stored, const std::string& cluster,
                          const std::string& instance_id) {
    const std::string saved_arn = stored.metadata_value(engine::kContainerInstanceArnKey);
    const std::string saved_cluster = stored.metadata_value(engine::kClusterKey);
    const std::string saved_id = stored.metadata_value(engine::kEc2InstanceIdKey);
    if (saved_arn.empty() && saved_cluster.empty() && stored.tasks.empty()) return Identity::Fresh;
    if (!saved_id.empty() && !instance_id.empty() && saved_id != instance_id) return Identity::OtherMachine;
    const std::string wanted = cluster.empty() ? "default" : cluster;
    if (!saved_cluster.empty() && saved_cluster != wanted) return Identity::OtherCluster;
    return Identity::Same;
}

std::string state_remedy(ErrorKind kind, const std::string& data_dir) {
    switch (kind) {
        case ErrorKind::Conflict: return "stop the other agent, or give this one another ECS_DATADIR";
        case ErrorKind::Denied:
            return "let this user write to " + data_dir + ", and mount it read-write; or set another ECS_DATADIR";
        case ErrorKind::Unavailable: return "free space on the disk of " + data_dir + ", and check that disk";
        default: return "check that " + data_dir + " is a directory on a sound disk; or set another ECS_DATADIR";
    }
}

bool cloud_init_missed_user_data(const std::string& result_json, const std::string& user_data) {
    if (user_data.empty()) return false;
    const auto result = parse_json(result_json);
    if (!result || !result->is_object()) return false;
    const auto v1 = result->find("v1");
    if (v1 == result->end() || !v1->is_object()) return false;
    const auto source = v1->find("datasource");
    return source != v1->end() && source->is_string() && source->get_ref<const std::string&>() == "DataSourceNone";
}

}  // namespace nodeagent
