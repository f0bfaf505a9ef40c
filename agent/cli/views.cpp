#include "agent/cli/views.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "agent/base/strings.hpp"
#include "agent/cli/host_view.hpp"
#include "agent/cli/table.hpp"

namespace nodeagent::cli {

namespace {

std::string id_of(const TaskAnswer& task) {
    return task.id.empty() ? task.arn.substr(task.arn.rfind('/') + 1) : task.id;
}

std::string definition_of(const TaskAnswer& task) {
    return task.version.empty() ? task.family : task.family + ":" + task.version;
}

std::string decimal(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f", value);
    return text.data();
}

std::string mebibytes(std::int64_t bytes) { return decimal(static_cast<double>(bytes) / (1 << 20)) + " MiB"; }

std::string short_id(const std::string& runtime_id) { return std::string(truncated(runtime_id, 12)); }

std::string exit_of(const ContainerAnswer& container) {
    return container.exit_code ? std::to_string(*container.exit_code) : std::string();
}

// "app exited with 1, web: CannotPullContainerError: ..."
std::string endings(const TaskAnswer& task) {
    std::vector<std::string> parts;
    for (const ContainerAnswer& container : task.containers) {
        if (!container.error.empty()) {
            parts.push_back(container.name + ": " + container.error);
        } else if (container.exit_code) {
            parts.push_back(container.name + " exited with " + std::to_string(*container.exit_code));
        }
    }
    return join(parts, ", ");
}

std::string unfinished(const TaskAnswer& task, std::string_view goal) {
    std::vector<std::string> names;
    for (const ContainerAnswer& container : task.containers) {
        const bool there =
            container.known == goal ||
            (goal == "RUNNING" && (container.known == "RESOURCES_PROVISIONED" || container.known == "STOPPED"));
        if (!there) names.push_back(container.name + " (" + (container.known.empty() ? "NONE" : container.known) + ")");
    }
    return join(names, ", ");
}

std::string clause(const TaskAnswer& task) {
    if (task.known == "STOPPED") {
        std::string text = "has stopped";
        if (!task.stop_reason.empty()) text += ": " + task.stop_reason;
        if (const std::string how = endings(task); !how.empty()) text += " (" + how + ")";
        if (task.sent != "STOPPED") text += "; ECS has not acknowledged it yet";
        return text;
    }
    if (task.desired == "STOPPED" && task.waiting_for.starts_with("is stopping")) return task.waiting_for;
    if (task.desired == "STOPPED") {
        const std::string rest = unfinished(task, "STOPPED");
        const std::string how = endings(task);
        return "is stopping" + (how.empty() ? std::string() : " (" + how + ")") +
               (rest.empty() ? std::string() : ", and waits for the end of " + rest);
    }
    if (!task.waiting_for.empty()) return task.waiting_for;
    if (task.known == "RUNNING") {
        return task.sent == "RUNNING" ? "waits for nothing: it is RUNNING, as ECS wants it"
                                      : "is RUNNING; ECS has not acknowledged it yet";
    }
    const std::string rest = unfinished(task, "RUNNING");
    return rest.empty() ? "is on its way to " + task.desired : "waits for " + rest + " to be RUNNING";
}

// "[#########.......] 12.30 MiB of 40.00 MiB, 2 of 5 layers, since 2026-...; attempt 2, after: ..."
std::string pull_of(const PullAnswer& pull) {
    constexpr std::int64_t kWidth = 20;
    std::vector<std::string> parts;
    if (pull.queued) parts.emplace_back("queued behind other pulls");
    if (pull.total_bytes > 0) {
        const std::int64_t done = std::clamp<std::int64_t>(pull.current_bytes * kWidth / pull.total_bytes, 0, kWidth);
        parts.push_back("[" + std::string(static_cast<std::size_t>(done), '#') +
                        std::string(static_cast<std::size_t>(kWidth - done), '.') + "] " +
                        mebibytes(pull.current_bytes) + " of " + mebibytes(pull.total_bytes));
    }
    if (pull.layers > 0) {
        parts.push_back(std::to_string(pull.layers_done) + " of " + std::to_string(pull.layers) + " layers");
    }
    if (pull.since) parts.push_back("since " + *pull.since);
    std::string text = join(parts, ", ");
    if (!pull.last_error.empty()) {
        text +=
            "; attempt " + std::to_string(pull.attempt) + (pull.retry_at ? " failed: " : ", after: ") + pull.last_error;
    }
    if (pull.retry_at) text += "; next try at " + *pull.retry_at;
    return printable(text);
}

std::string yes_since(bool connected, const std::string& since) {
    if (!connected) return "not connected";
    return since.empty() ? "connected" : "connected since " + since;
}

}  // namespace

std::string why(const TaskAnswer& task) {
    const std::string name = definition_of(task);
    std::string what = printable(clause(task));
    const bool about_the_task = what.starts_with("waits") || what.starts_with("is ") || what.starts_with("has ");
    const bool ends = what.ends_with('.');
    return "Task " + printable(id_of(task)) + (name.empty() ? "" : " (" + printable(name) + ")") +
           (about_the_task ? " " : ": ") + what + (ends ? "" : ".") + "\n";
}

std::string drain_view(const DrainAnswer& drain) {
    const std::string left = drain.tasks_left == 1 ? "1 task" : std::to_string(drain.tasks_left) + " tasks";
    if (!drain.draining) return "takes tasks; " + left + " here";
    std::string text = "draining";
    if (!drain.since.empty()) text += " since " + drain.since;
    if (!drain.cause.empty()) text += ", by " + drain.cause;
    text += "; " + left + " left; ";
    if (drain.tasks_only) return text + "ECS is not told (--tasks-only)";
    if (drain.ecs_told) return text + "ECS has been told";
    return text + "ECS NOT TOLD YET" + (drain.ecs_error.empty() ? "" : ": " + drain.ecs_error);
}

std::string status_view(const StatusAnswer& status) {
    std::string runtime = status.runtime.name;
    if (!status.runtime.version.empty()) runtime += " " + status.runtime.version;
    if (!runtime.empty()) runtime += status.runtime.reachable ? ", reachable" : ", NOT REACHABLE";
    std::string tasks = std::to_string(status.tasks.running) + " running, " + std::to_string(status.tasks.pending) +
                        " pending, " + std::to_string(status.tasks.stopped) + " stopped";
    if (status.tasks.waiting > 0) tasks += "; " + std::to_string(status.tasks.waiting) + " waiting";
    std::vector<std::pair<std::string, std::string>> rows{
        {"agent", status.version},
        {"started", status.started_at},
        {"cluster", status.cluster},
        {"instance", status.container_instance_arn.empty() ? "not registered" : status.container_instance_arn},
        {"ECS session", yes_since(status.acs_connected, status.acs_connected_since)},
        {"telemetry", yes_since(status.tcs_connected, "")},
        {"runtime", runtime},
        {"tasks", tasks},
        {"draining", status.drain ? drain_view(*status.drain) : ""},
        {"memory", status.resident_bytes > 0 ? mebibytes(status.resident_bytes) : ""},
        {"descriptors", status.open_descriptors > 0 ? std::to_string(status.open_descriptors) : ""}};
    if (status.host) {
        for (auto& row : host_rows(*status.host)) rows.push_back(std::move(row));
    }
    return fields(rows);
}

std::string tasks_view(const TasksAnswer& answer) {
    if (answer.tasks.empty()) return "No tasks.\n";
    Table table({"TASK", "DEFINITION", "DESIRED", "KNOWN", "SENT", "CONTAINERS", "NOTE"});
    for (const TaskAnswer& task : answer.tasks) {
        std::vector<std::string> names;
        for (const ContainerAnswer& container : task.containers) names.push_back(container.name);
        const std::string note =
            task.known == "STOPPED" && !task.stop_reason.empty() ? task.stop_reason : task.waiting_for;
        table.add({id_of(task), definition_of(task), task.desired, task.known, task.sent, join(names, ","), note});
    }
    return table.text();
}

std::string task_view(const TaskAnswer& task) {
    std::string out = fields({{"task", task.arn},
                              {"definition", definition_of(task)},
                              {"desired", task.desired},
                              {"known", task.known},
                              {"sent", task.sent},
                              {"limits", join(
                                             [&] {
                                                 std::vector<std::string> limits;
                                                 if (task.cpu > 0) limits.push_back(decimal(task.cpu) + " vCPU");
                                                 if (task.memory > 0)
                                                     limits.push_back(std::to_string(task.memory) + " MiB");
                                                 return limits;
                                             }(),
                                             ", ")},
                              {"waiting", task.waiting_for},
                              {"stop reason", task.stop_reason}});
    if (task.containers.empty()) return out;
    Table table(
        {"CONTAINER", "IMAGE", "RUNTIME ID", "DESIRED", "KNOWN", "EXIT", "HEALTH", "STARTED", "PORTS", "ERROR"});
    for (const ContainerAnswer& container : task.containers) {
        table.add({container.name, container.image, short_id(container.runtime_id), container.desired, container.known,
                   exit_of(container), container.health, container.started_at, join(container.ports, ","),
                   container.error});
    }
    out += "\n" + table.text();
    bool first = true;
    for (const ContainerAnswer& container : task.containers) {
        if (!container.pull) continue;
        if (std::exchange(first, false)) out += "\n";
        out += "pulling " + printable(container.image) + " for " + printable(container.name) + ": " +
               pull_of(*container.pull) + "\n";
    }
    return out;
}

std::string events_view(const EventsAnswer& answer) {
    if (answer.events.empty()) return "No events yet.\n";
    Table table({"TIME", "TASK", "CONTAINER", "WHAT"});
    for (const EventAnswer& event : answer.events) {
        table.add({event.time, event.task.substr(event.task.rfind('/') + 1), event.container, event.what});
    }
    return table.text();
}

std::string settings_view(const SettingsAnswer& answer) {
    Table table({"SETTING", "SOURCE", "STATE", "VALUE"});
    for (const SettingAnswer& setting : answer.settings) {
        // the agent redacts too; a secret must not depend on one of us
        const std::string value = setting.secret && !setting.value.empty() ? "<redacted>" : setting.value;
        table.add({setting.name, setting.source, setting.active ? "active" : "not active", value});
    }
    return table.text();
}

}  // namespace nodeagent::cli
