#include "metadata/stats_routes.hpp"

#include <cmath>
#include <map>

#include "metadata/document_parts.hpp"
#include "metadata/go_json.hpp"
#include "metadata/task_metadata_v2.hpp"
#include "metadata/task_metadata_v3.hpp"

namespace nodeagent::metadata {

namespace {

std::optional<ContainerSample> sample_of(const StatsSource* source, const model::TaskView& task,
                                         const model::ContainerView& container) {
    if (source != nullptr) return source->sample(task.arn, container.docker_id);
    if (container.known == model::ContainerStatus::Stopped) return std::nullopt;  // tracked no more
    return ContainerSample{};
}

// Go cannot write NaN, and answers what it answers to any failure to encode.
Response cannot_encode() { return json_response("{}", 500); }

bool writable(const ContainerSample& sample) {
    return !sample.rates || (std::isfinite(sample.rates->received) && std::isfinite(sample.rates->sent));
}

std::string v4_object(const ContainerSample& sample) {
    if (sample.object == nullptr) return "{}";
    if (!sample.rates || sample.object->size() < 2) return *sample.object;
    JsonWriter rates;
    rates.begin_object();
    rates.member("rx_bytes_per_sec", static_cast<double>(sample.rates->received));
    rates.member("tx_bytes_per_sec", static_cast<double>(sample.rates->sent));
    rates.end_object();
    std::string text = sample.object->substr(0, sample.object->size() - 1);
    if (text.size() > 1) text += ',';
    return text + "\"network_rate_stats\":" + std::move(rates).text() + "}";
}

std::string v3_object(const ContainerSample& sample) { return sample.object ? *sample.object : "null"; }

std::map<std::string, const model::ContainerView*> by_id(const model::TaskView& task) {
    std::map<std::string, const model::ContainerView*> sorted;
    for (const model::ContainerView& container : task.containers) {
        if (created(container)) sorted.emplace(container.docker_id, &container);
    }
    return sorted;
}

Response old_container_stats(const StatsSource* source, const model::TaskView& task,
                             const model::ContainerView& container) {
    const auto sample = sample_of(source, task, container);
    if (!sample) return json_text(400, "Unable to get container stats for: " + container.docker_id);
    return json_response(v3_object(*sample));
}

Response old_task_stats(const StatsSource* source, const model::TaskView& task) {
    JsonWriter out;
    out.begin_object();
    for (const auto& [id, container] : by_id(task)) {
        out.key(id);
        out.raw(v3_object(sample_of(source, task, *container).value_or(ContainerSample{})));
    }
    out.end_object();
    return json_response(std::move(out).text());
}

}  // namespace

Response v2_container_stats(const model::Snapshot& snapshot, const StatsSource* source, std::string_view ip,
                            const std::string& docker_id) {
    const auto task = task_at(snapshot, ip);
    if (task == nullptr) return v2_unknown_caller(ip);
    for (const model::ContainerView& container : task->containers) {
        if (created(container) && container.docker_id == docker_id)
            return old_container_stats(source, *task, container);
    }
    return json_text(400, "Unable to get container stats for: " + docker_id);
}

Response v2_task_stats(const model::Snapshot& snapshot, const StatsSource* source, std::string_view ip) {
    const auto task = task_at(snapshot, ip);
    if (task == nullptr) return v2_unknown_caller(ip);
    return old_task_stats(source, *task);
}

Response v3_container_stats(const model::Snapshot& snapshot, const StatsSource* source, std::string_view id) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) {
        return json_text(400, "V3 container stats handler: unable to get task arn from request: " + no_task_behind(id));
    }
    return old_container_stats(source, *key->task, key->container());
}

Response v3_task_stats(const model::Snapshot& snapshot, const StatsSource* source, std::string_view id) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) {
        return json_text(400, "V3 task stats handler: unable to get task arn from request: " + no_task_behind(id));
    }
    return old_task_stats(source, *key->task);
}

Response v4_container_stats(const model::Snapshot& snapshot, const StatsSource* source, std::string_view id) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) {
        return json_text(404, "V4 container stats handler: unable to get task arn from request: " + no_task_behind(id));
    }
    const auto sample = sample_of(source, *key->task, key->container());
    if (!sample) return json_text(500, "Unable to get container stats for: " + key->container().docker_id);
    if (!writable(*sample)) return cannot_encode();
    return json_response(v4_object(*sample));
}

Response v4_task_stats(const model::Snapshot& snapshot, const StatsSource* source, std::string_view id) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) {
        return json_text(404, "V4 task stats handler: unable to get task arn from request: " + no_task_behind(id));
    }
    JsonWriter out;
    out.begin_object();
    for (const auto& [docker_id, container] : by_id(*key->task)) {
        const ContainerSample sample = sample_of(source, *key->task, *container).value_or(ContainerSample{});
        if (!writable(sample)) return cannot_encode();
        out.key(docker_id);
        out.raw(v4_object(sample));
    }
    out.end_object();
    return json_response(std::move(out).text());
}

}  // namespace nodeagent::metadata
