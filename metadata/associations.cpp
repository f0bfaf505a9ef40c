#include "metadata/associations.hpp"

#include <algorithm>

#include "metadata/go_json.hpp"
#include "metadata/task_metadata_v3.hpp"

namespace nodeagent::metadata {

namespace {

Response refusal(int version, const std::string& why) {
    const std::string_view handler = version == 3 ? "V3" : "V4";
    return json_text(400, std::string(handler) + " container associations handler: " + why);
}

}  // namespace

Response associations_of_type(const model::Snapshot& snapshot, int version, std::string_view id,
                              std::string_view type) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) return refusal(version, "unable to get container id from request: " + no_container_behind(id));
    std::vector<std::string> names;
    for (const model::Association& candidate : key->task->associations) {
        const auto& users = candidate.containers;
        if (candidate.type != type) continue;
        if (std::find(users.begin(), users.end(), key->container().name) == users.end()) continue;
        names.push_back(candidate.name);
    }
    JsonWriter out;
    out.begin_object();
    out.key("Associations");
    if (names.empty()) {
        out.null();
    } else {
        out.value(names);
    }
    out.end_object();
    return json_response(std::move(out).text());
}

Response association(const model::Snapshot& snapshot, int version, std::string_view id, std::string_view type,
                     std::string_view name) {
    const auto* key = find_endpoint(snapshot, id);
    if (key == nullptr) return refusal(version, "unable to get task arn from request: " + no_task_behind(id));
    if (name.empty()) return refusal(version, "unable to get association name from request");
    for (const model::Association& candidate : key->task->associations) {
        if (candidate.type == type && candidate.name == name) return json_response(candidate.content.value);
    }
    return json_text(
        400, "Unable to write container association response: unable to get association from association type " +
                 std::string(type) + " and association name " + std::string(name));
}

}  // namespace nodeagent::metadata
