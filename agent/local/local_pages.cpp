#include "agent/local/local_pages.hpp"

#include <algorithm>

#include "agent/base/strings.hpp"

namespace nodeagent::local {
namespace {

LocalPage not_found(const std::string& message) {
    LocalPage page{.status = 404, .body = OrderedJson::object()};
    page.body["message"] = message;
    return page;
}

LocalPage health(State& state, const Channels& channels) {
    std::int64_t instances = 0;
    std::int64_t connected = 0;
    for (const auto& [arn, instance] : state.instances()) {
        if (instance.status == "INACTIVE") continue;
        ++instances;
        if (channels.connected(arn)) ++connected;
    }
    LocalPage page;
    page.body["status"] = "ok";
    page.body["containerInstances"] = instances;
    page.body["agentsConnected"] = connected;
    page.body["tasks"] = state.tasks().size();
    return page;
}

LocalPage tasks(State& state, const std::string& cluster) {
    LocalPage page;
    page.body = OrderedJson::array();
    std::vector<const Task*> ordered;
    for (const auto& [arn, task] : state.tasks()) {
        if (cluster.empty() || task.cluster == cluster_name_of(cluster)) ordered.push_back(&task);
    }
    std::sort(ordered.begin(), ordered.end(),
              [](const Task* a, const Task* b) { return a->created_at < b->created_at; });
    for (const Task* task : ordered) {
        OrderedJson entry;
        entry["taskArn"] = task->arn;
        entry["taskDefinition"] = last_segment(task->definition_arn);
        entry["containerInstance"] = last_segment(task->instance_arn);
        entry["lastStatus"] = task->last_status;
        entry["desiredStatus"] = task->desired_status;
        entry["acknowledgedStatus"] = task->delivered_status;
        if (!task->stopped_reason.empty()) entry["stoppedReason"] = task->stopped_reason;
        entry["containers"] = OrderedJson::array();
        for (const TaskContainer& container : task->containers) {
            OrderedJson line;
            line["name"] = container.name;
            line["lastStatus"] = container.last_status;
            if (container.exit_code) line["exitCode"] = *container.exit_code;
            if (!container.reason.empty()) line["reason"] = container.reason;
            entry["containers"].push_back(std::move(line));
        }
        page.body.push_back(std::move(entry));
    }
    return page;
}

LocalPage history(State& state, const std::string& task) {
    const std::vector<std::string> entries = state.history(task);
    if (entries.empty() && state.task(task) == nullptr)
        return not_found("no task " + task + "; give its whole ARN as ?task=");
    LocalPage page;
    page.body = OrderedJson::array();
    for (const std::string& entry : entries) page.body.push_back(OrderedJson::parse(entry, nullptr, false));
    return page;
}

LocalPage telemetry_page(const Telemetry& telemetry, const std::string& instance) {
    const auto found = telemetry.by_instance.find(instance);
    if (found == telemetry.by_instance.end())
        return not_found("no telemetry of " + instance + " yet; give its whole ARN as ?instance=");
    LocalPage page;
    page.body["messages"] = found->second.messages;
    page.body["receivedAt"] = found->second.received_at;
    page.body["metrics"] = OrderedJson(found->second.metrics);
    page.body["health"] = OrderedJson(found->second.health);
    page.body["instanceStatus"] = OrderedJson(found->second.instance_status);
    return page;
}

/// How much is kept for CloudWatch, of how much at most.
LocalPage metrics_page(const MetricStore& metrics) {
    const MetricLimits& limits = metrics.limits();
    LocalPage page;
    page.body["metrics"] = metrics.metrics().size();
    page.body["dataPoints"] = metrics.points();
    page.body["atMost"]["metrics"] = limits.metrics;
    page.body["atMost"]["dataPoints"] = limits.points;
    page.body["atMost"]["minutes"] = limits.age.count();
    OrderedJson namespaces = OrderedJson::object();
    for (const auto& [metric, series] : metrics.metrics()) {
        OrderedJson& count = namespaces[metric.space];
        count = count.is_null() ? 1 : count.get<std::size_t>() + 1;
    }
    page.body["namespaces"] = std::move(namespaces);
    return page;
}

/// How much is kept for CloudWatch Logs. With ?fail=CODE[&status=500][&calls=N] its next calls, or all, fail so; with
/// an empty code none does any more.
LocalPage logs_page(LogStore& logs, std::map<std::string, std::string>& query) {
    if (query.contains("fail")) {
        const long long status = parse_integer(query["status"]).value_or(400);
        if (status < 400 || status > 599) {
            return {.status = 400, .body = OrderedJson{{"message", "status is from 400 to 599"}}};
        }
        logs.fault = {.code = query["fail"],
                      .status = static_cast<unsigned>(status),
                      .calls = parse_integer(query["calls"]).value_or(-1)};
    }
    LocalPage page;
    page.body["groups"] = logs.groups().size();
    page.body["streams"] = logs.streams();
    page.body["bytes"] = logs.bytes();
    page.body["forgottenEvents"] = logs.forgotten();
    page.body["putLogEvents"] = logs.puts;
    page.body["atMost"]["groups"] = logs.limits().groups;
    page.body["atMost"]["streams"] = logs.limits().streams;
    page.body["atMost"]["bytes"] = logs.limits().bytes;
    if (logs.fault.calls != 0 && !logs.fault.code.empty()) page.body["failsWith"] = logs.fault.code;
    return page;
}

}  // namespace

std::map<std::string, std::string> parse_query(std::string_view target) {
    std::map<std::string, std::string> parameters;
    const auto question = target.find('?');
    if (question == std::string_view::npos) return parameters;
    for (const std::string_view part : split(target.substr(question + 1), '&')) {
        const auto equals = part.find('=');
        const auto decoded = [](std::string_view text) {
            std::string plain(text);
            std::replace(plain.begin(), plain.end(), '+', ' ');
            return percent_decode(plain).value_or(plain);
        };
        parameters[decoded(part.substr(0, equals))] =
            equals == std::string_view::npos ? "" : decoded(part.substr(equals + 1));
    }
    return parameters;
}

std::optional<LocalPage> local_page(State& state, const Channels& channels, const Telemetry& telemetry,
                                    const MetricStore& metrics, LogStore& logs, std::string_view target) {
    const std::string_view path = target.substr(0, target.find('?'));
    auto query = parse_query(target);
    if (path == "/health") return health(state, channels);
    if (path == "/_local/tasks") return tasks(state, query["cluster"]);
    if (path == "/_local/history") return history(state, query["task"]);
    if (path == "/_local/telemetry") return telemetry_page(telemetry, query["instance"]);
    if (path == "/_local/metrics") return metrics_page(metrics);
    if (path == "/_local/logs") return logs_page(logs, query);
    return std::nullopt;
}

}  // namespace nodeagent::local
