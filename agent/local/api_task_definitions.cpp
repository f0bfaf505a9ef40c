#include <algorithm>
#include <set>

#include "agent/local/api.hpp"
#include "agent/local/pagination.hpp"
#include "agent/local/registration_rules.hpp"
#include "agent/local/views.hpp"

namespace nodeagent::local {
namespace {

struct RegisterRequest {
    std::vector<Tag> tags;
    static constexpr auto json_fields() { return std::tuple{optional_field("tags", &RegisterRequest::tags)}; }
};

struct NamedRequest {
    std::string task_definition;
    Strings include;
    static constexpr auto json_fields() {
        using T = NamedRequest;
        return std::tuple{required_field("taskDefinition", &T::task_definition),
                          optional_field("include", &T::include)};
    }
};

struct ListRequest {
    std::string family_prefix;
    std::string status;
    std::string sort;
    std::string next_token;
    std::optional<std::int64_t> max_results;
    static constexpr auto json_fields() {
        using T = ListRequest;
        return std::tuple{optional_field("familyPrefix", &T::family_prefix), optional_field("status", &T::status),
                          optional_field("sort", &T::sort), optional_field("nextToken", &T::next_token),
                          optional_field("maxResults", &T::max_results)};
    }
};

Reply page_reply(const char* member, Page page) {
    Reply reply;
    reply.body[member] = page.items;
    if (!page.next_token.empty()) reply.body["nextToken"] = page.next_token;
    return reply;
}

}  // namespace

ApiResult register_task_definition(Api& api, const Json& document) {
    auto request = parse_request<RegisterRequest>(document);
    if (!request) return std::move(request).error();
    auto parsed = parse_request<TaskDefinition>(document);
    if (!parsed) return std::move(parsed).error();
    if (auto bad = check_tags(request->tags)) return std::move(*bad);
    StoredTaskDefinition stored{.definition = std::move(*parsed), .tags = request->tags};
    TaskDefinition& definition = stored.definition;
    if (auto bad = complete_task_definition(definition)) return std::move(*bad);
    // what only the service sets, whatever the request says
    definition.revision = api.state.next_revision(definition.family);
    definition.arn = make_arn(api.state.identity(), "task-definition/" + definition.family_revision());
    definition.status = "ACTIVE";
    definition.registered_at = api.now;
    definition.deregistered_at = 0;
    definition.registered_by = "arn:aws:iam::" + api.state.identity().account + ":root";
    const StoredTaskDefinition& kept = api.state.save(std::move(stored));
    Reply reply;
    reply.body["taskDefinition"] = to_json_document(kept.definition);
    if (!kept.tags.empty()) reply.body["tags"] = list_view(kept.tags);
    return reply;
}

ApiResult describe_task_definition(Api& api, const Json& document) {
    auto request = parse_request<NamedRequest>(document);
    if (!request) return std::move(request).error();
    const StoredTaskDefinition* stored = api.state.task_definition(request->task_definition);
    if (stored == nullptr) return client_error("Unable to describe task definition.");
    Reply reply;
    reply.body["taskDefinition"] = to_json_document(stored->definition);
    const bool with_tags =
        std::find(request->include.begin(), request->include.end(), "TAGS") != request->include.end();
    reply.body["tags"] = with_tags ? list_view(stored->tags) : OrderedJson::array();
    return reply;
}

ApiResult list_task_definitions(Api& api, const Json& document) {
    auto request = parse_request<ListRequest>(document);
    if (!request) return std::move(request).error();
    const std::string status = request->status.empty() ? "ACTIVE" : request->status;
    if (status != "ACTIVE" && status != "INACTIVE" && status != "DELETE_IN_PROGRESS") {
        return invalid_parameter("status must be ACTIVE, INACTIVE or DELETE_IN_PROGRESS, not '" + status + "'.");
    }
    std::vector<const TaskDefinition*> found;
    for (const auto& [key, stored] : api.state.task_definitions()) {
        const TaskDefinition& definition = stored.definition;
        // despite its name the service matches the whole family
        const bool wanted = request->family_prefix.empty() || definition.family == request->family_prefix;
        if (wanted && definition.status == status) found.push_back(&definition);
    }
    std::sort(found.begin(), found.end(), [](const TaskDefinition* a, const TaskDefinition* b) {
        return std::tie(a->family, a->revision) < std::tie(b->family, b->revision);
    });
    if (request->sort == "DESC") std::reverse(found.begin(), found.end());
    Strings arns;
    for (const TaskDefinition* definition : found) arns.push_back(definition->arn);
    auto page = paginate(std::move(arns), {request->next_token, request->max_results});
    if (!page) return std::move(page).error();
    return page_reply("taskDefinitionArns", std::move(*page));
}

ApiResult list_task_definition_families(Api& api, const Json& document) {
    auto request = parse_request<ListRequest>(document);
    if (!request) return std::move(request).error();
    std::set<std::string> all;
    std::set<std::string> active;
    for (const auto& [key, stored] : api.state.task_definitions()) {
        const TaskDefinition& definition = stored.definition;
        if (!definition.family.starts_with(request->family_prefix)) continue;
        all.insert(definition.family);
        if (definition.status == "ACTIVE") active.insert(definition.family);
    }
    Strings families;
    for (const std::string& family : all) {
        const bool is_active = active.contains(family);
        const bool wanted = request->status == "ALL" || (request->status == "INACTIVE") != is_active;
        if (wanted) families.push_back(family);
    }
    auto page = paginate(std::move(families), {request->next_token, request->max_results});
    if (!page) return std::move(page).error();
    return page_reply("families", std::move(*page));
}

ApiResult deregister_task_definition(Api& api, const Json& document) {
    auto request = parse_request<NamedRequest>(document);
    if (!request) return std::move(request).error();
    if (last_segment(request->task_definition).find(':') == std::string_view::npos) {
        return client_error("Revision is missing: give family:revision or the full ARN.");
    }
    StoredTaskDefinition* stored = api.state.task_definition(request->task_definition);
    if (stored == nullptr) return client_error("The specified task definition does not exist.");
    if (stored->definition.status == "INACTIVE") {
        return client_error(
            "The specified task definition is inactive. You can only deregister a task definition that is active.");
    }
    stored->definition.status = "INACTIVE";
    stored->definition.deregistered_at = api.now;
    api.state.save(stored);
    Reply reply;
    reply.body["taskDefinition"] = to_json_document(stored->definition);
    return reply;
}

}  // namespace nodeagent::local
