#include <algorithm>

#include "agent/local/api.hpp"
#include "agent/local/pagination.hpp"
#include "agent/local/views.hpp"

namespace nodeagent::local {
namespace {

struct AttributesRequest {
    std::string cluster;
    std::vector<Attribute> attributes;
    static constexpr auto json_fields() {
        using T = AttributesRequest;
        return std::tuple{optional_field("cluster", &T::cluster), required_field("attributes", &T::attributes)};
    }
};

struct ListAttributesRequest {
    std::string cluster;
    std::string target_type;
    std::string name;
    std::string value;
    std::string next_token;
    std::optional<std::int64_t> max_results;
    static constexpr auto json_fields() {
        using T = ListAttributesRequest;
        return std::tuple{optional_field("cluster", &T::cluster),      required_field("targetType", &T::target_type),
                          optional_field("attributeName", &T::name),   optional_field("attributeValue", &T::value),
                          optional_field("nextToken", &T::next_token), optional_field("maxResults", &T::max_results)};
    }
};

/// Checks every attribute's target before the first is changed, then calls change(instance, attribute) on each.
template <class Change>
ApiResult on_targets(Api& api, const Json& document, Change change) {
    auto request = parse_request<AttributesRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    if (request->attributes.empty()) return invalid_parameter("Attributes cannot be empty.");
    for (const Attribute& attribute : request->attributes) {
        const ContainerInstance* target = api.state.instance(cluster->name, attribute.target_id);
        if (attribute.target_id.empty() || target == nullptr || target->status == "INACTIVE") {
            return ApiError{.code = "TargetNotFoundException",
                            .message = "Could not find the specified target: '" + attribute.target_id + "'."};
        }
        if (attribute.name.empty()) return invalid_parameter("Attribute name cannot be empty.");
    }
    Reply reply;
    reply.body["attributes"] = OrderedJson::array();
    for (const Attribute& attribute : request->attributes) {
        ContainerInstance* instance = api.state.instance(cluster->name, attribute.target_id);
        change(*instance, attribute);
        api.state.save(instance);
        Attribute shown = attribute;
        shown.target_type = "container-instance";
        shown.target_id = instance->arn;
        reply.body["attributes"].push_back(to_json_document(shown));
    }
    return reply;
}

}  // namespace

ApiResult put_attributes(Api& api, const Json& document) {
    return on_targets(api, document, [](ContainerInstance& instance, const Attribute& attribute) {
        std::erase_if(instance.attributes, [&](const Attribute& other) { return other.name == attribute.name; });
        instance.attributes.push_back(
            {.name = attribute.name, .value = attribute.value, .target_type = {}, .target_id = {}});
    });
}

ApiResult delete_attributes(Api& api, const Json& document) {
    return on_targets(api, document, [](ContainerInstance& instance, const Attribute& attribute) {
        std::erase_if(instance.attributes, [&](const Attribute& other) {
            return other.name == attribute.name && (!attribute.value || other.value == attribute.value);
        });
    });
}

ApiResult list_attributes(Api& api, const Json& document) {
    auto request = parse_request<ListAttributesRequest>(document);
    if (!request) return std::move(request).error();
    const Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    if (request->target_type != "container-instance")
        return invalid_parameter("targetType must be container-instance.");
    std::map<std::string, Attribute> found;  // by target and name, so that pages have an order
    for (const auto& [arn, instance] : api.state.instances()) {
        if (instance.cluster != cluster->name || instance.status == "INACTIVE") continue;
        for (const Attribute& attribute : instance.attributes) {
            if (!request->name.empty() && attribute.name != request->name) continue;
            if (!request->value.empty() && attribute.value != request->value) continue;
            Attribute shown = attribute;
            shown.target_type = "container-instance";
            shown.target_id = arn;
            found.emplace(arn + "|" + attribute.name, std::move(shown));
        }
    }
    Strings keys;
    for (const auto& [key, attribute] : found) keys.push_back(key);
    auto page = paginate(std::move(keys), {request->next_token, request->max_results});
    if (!page) return std::move(page).error();
    Reply reply;
    reply.body["attributes"] = OrderedJson::array();
    for (const std::string& key : page->items) reply.body["attributes"].push_back(to_json_document(found.at(key)));
    if (!page->next_token.empty()) reply.body["nextToken"] = page->next_token;
    return reply;
}

}  // namespace nodeagent::local
