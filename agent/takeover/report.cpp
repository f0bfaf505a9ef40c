#include "agent/takeover/report.hpp"

namespace nodeagent::takeover {

namespace {

std::string row(std::string name, const std::string& value) {
    name.resize(22, ' ');
    return "  " + name + (value.empty() ? "not recorded" : value) + "\n";
}

std::string task_line(const ImportedTask& one) {
    const core::TaskState& task = one.task;
    std::string text = "    " + task.definition->family + ":" + task.definition->version + "  " +
                       std::string(to_string(task.known)) + "  " + task.arn + "\n";
    for (const core::ContainerState& container : task.containers) {
        text += "      " + container.name + "  " + std::string(to_string(container.known)) +
                (container.runtime_id.empty() ? "  found by its labels" : "  " + container.runtime_id.substr(0, 12)) +
                "\n";
    }
    return text;
}

}  // namespace

Report report(const std::string& data_dir, const std::string& cluster, bool own_state, const core::Identity& identity) {
    Report out;
    const std::string path = file_in(data_dir, kDatabaseFile);
    if (own_state) {
        if (!is_there(path)) return out;
        out.good = !in_use(data_dir);
        out.text = "\nTaking over from amazon-ecs-agent:\n  " + path +
                   (out.good ? " is not looked at: this agent has state of its own in " + data_dir +
                                   ". To take it over again, move ecs-node-agent.db away first\n"
                             : " is in use; " + remedy(ErrorKind::Conflict, data_dir) + "\n");
        return out;
    }
    const auto source = find_source(data_dir, identity);
    if (!source) {
        out.good = false;
        out.text = "\nTaking over from amazon-ecs-agent is not possible (the agent would end with 5):\n  " +
                   source.error().what + "; " + remedy(source.error().kind, data_dir) + "\n";
        return out;
    }
    if (!*source) return out;
    const Import& import = (*source)->import;
    out.text = "\nTaking over from amazon-ecs-agent, at the next start:\n";
    out.text += row("state", (*source)->path + ", kept as " + (*source)->path + std::string(kPutAwaySuffix));
    out.text += row("version", import.agent_version);
    const std::string arn = import.value(engine::kContainerInstanceArnKey);
    out.text += row("container instance", arn.empty() ? "none: this machine registers anew" : arn + ", kept");
    const std::string saved = import.value(engine::kClusterKey);
    const std::string wanted = cluster.empty() ? "default" : cluster;
    const bool other = !saved.empty() && saved != wanted;
    out.text += row("cluster", other ? saved + ", but ECS_CLUSTER is " + wanted +
                                           ": the agent would end with 5; set ECS_CLUSTER=" + saved
                                     : saved);
    out.good = !other;
    out.text += row("EC2 instance", import.value(engine::kEc2InstanceIdKey));
    out.text += row("tasks", std::to_string(import.tasks.size()) + ", of which " + std::to_string(import.live()) +
                                 " have not stopped; no container is restarted");
    for (const ImportedTask& one : import.tasks) out.text += task_line(one);
    out.text += row("images", std::to_string(import.images.size()));
    for (const std::string& note : import.notes) out.text += "  note: " + note + "\n";
    return out;
}

}  // namespace nodeagent::takeover
