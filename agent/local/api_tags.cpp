#include <algorithm>

#include "agent/local/api.hpp"
#include "agent/local/registration_rules.hpp"
#include "agent/local/views.hpp"

namespace nodeagent::local {
namespace {

struct TagRequest {
    std::string resource_arn;
    std::vector<Tag> tags;
    Strings tag_keys;
    static constexpr auto json_fields() {
        using T = TagRequest;
        return std::tuple{required_field("resourceArn", &T::resource_arn), optional_field("tags", &T::tags),
                          optional_field("tagKeys", &T::tag_keys)};
    }
};

ApiError not_found(const std::string& arn) {
    return {.code = "ResourceNotFoundException", .message = "The specified resource was not found: " + arn};
}

/// Calls change(tags) on the resource's tags and saves it when the change says so.
template <class Change>
std::optional<ApiError> with_tags(Api& api, const std::string& arn, Change change) {
    const auto parsed = parse_arn(arn);
    if (!parsed || parsed->service != "ecs") return invalid_parameter("Invalid resource ARN: '" + arn + "'.");
    const auto on = [&](auto* record, std::vector<Tag>& tags) -> std::optional<ApiError> {
        std::vector<Tag> changed = tags;
        if (!change(changed)) return std::nullopt;
        if (auto bad = check_tags(changed)) return bad;
        tags = std::move(changed);
        api.state.save(record);
        return std::nullopt;
    };
    if (parsed->kind == "cluster") {
        Cluster* cluster = api.state.active_cluster(arn);
        if (cluster == nullptr) return cluster_not_found();
        return on(cluster, cluster->tags);
    }
    if (parsed->kind == "task-definition") {
        StoredTaskDefinition* stored = api.state.task_definition(arn);
        if (stored != nullptr) return on(stored, stored->tags);
    } else if (parsed->kind == "task") {
        Task* task = api.state.task(arn);
        if (task != nullptr) return on(task, task->tags);
    } else if (parsed->kind == "container-instance") {
        ContainerInstance* instance = api.state.instance(arn);
        if (instance != nullptr) return on(instance, instance->tags);
    }
    return not_found(arn);
}

}  // namespace

ApiResult tag_resource(Api& api, const Json& document) {
    auto request = parse_request<TagRequest>(document);
    if (!request) return std::move(request).error();
    auto failed = with_tags(api, request->resource_arn, [&](std::vector<Tag>& tags) {
        for (const Tag& tag : request->tags) {
            std::erase_if(tags, [&](const Tag& other) { return other.key == tag.key; });
            tags.push_back(tag);
        }
        return true;
    });
    if (failed) return std::move(*failed);
    return Reply{};
}

ApiResult untag_resource(Api& api, const Json& document) {
    auto request = parse_request<TagRequest>(document);
    if (!request) return std::move(request).error();
    auto failed = with_tags(api, request->resource_arn, [&](std::vector<Tag>& tags) {
        std::erase_if(tags, [&](const Tag& tag) {
            return std::find(request->tag_keys.begin(), request->tag_keys.end(), tag.key) != request->tag_keys.end();
        });
        return true;
    });
    if (failed) return std::move(*failed);
    return Reply{};
}

ApiResult list_tags_for_resource(Api& api, const Json& document) {
    auto request = parse_request<TagRequest>(document);
    if (!request) return std::move(request).error();
    Reply reply;
    auto failed = with_tags(api, request->resource_arn, [&](const std::vector<Tag>& tags) {
        reply.body["tags"] = list_view(tags);
        return false;
    });
    if (failed) return std::move(*failed);
    return reply;
}

}  // namespace nodeagent::local
