#include <algorithm>
#include <cctype>

#include "agent/local/api.hpp"
#include "agent/local/pagination.hpp"
#include "agent/local/registration_rules.hpp"
#include "agent/local/views.hpp"

namespace nodeagent::local {
namespace {

struct CreateClusterRequest {
    std::string name;
    std::vector<Tag> tags;
    Json settings;
    Json configuration;
    static constexpr auto json_fields() {
        using T = CreateClusterRequest;
        return std::tuple{optional_field("clusterName", &T::name), optional_field("tags", &T::tags),
                          optional_field("settings", &T::settings), optional_field("configuration", &T::configuration)};
    }
};

struct DescribeClustersRequest {
    Strings clusters;
    Strings include;
    static constexpr auto json_fields() {
        using T = DescribeClustersRequest;
        return std::tuple{optional_field("clusters", &T::clusters), optional_field("include", &T::include)};
    }
};

struct ListRequest {
    std::string next_token;
    std::optional<std::int64_t> max_results;
    static constexpr auto json_fields() {
        using T = ListRequest;
        return std::tuple{optional_field("nextToken", &T::next_token), optional_field("maxResults", &T::max_results)};
    }
};

struct DeleteClusterRequest {
    std::string cluster;
    static constexpr auto json_fields() {
        return std::tuple{required_field("cluster", &DeleteClusterRequest::cluster)};
    }
};

ClusterCounts counts_of(Api& api, const std::string& cluster) {
    ClusterCounts counts;
    for (const auto& [arn, instance] : api.state.instances()) {
        if (instance.cluster == cluster && instance.status != "INACTIVE") ++counts.instances;
    }
    for (const auto& [arn, task] : api.state.tasks()) {
        if (task.cluster != cluster) continue;
        if (task.last_status == "RUNNING") ++counts.running;
        if (task.last_status == "PENDING") ++counts.pending;
    }
    return counts;
}

OrderedJson one_cluster(Api& api, const Cluster& cluster,
                        const Strings& include = {"TAGS", "SETTINGS", "CONFIGURATIONS"}) {
    return cluster_view(cluster, counts_of(api, cluster.name), include);
}

}  // namespace

ApiResult create_cluster(Api& api, const Json& document) {
    auto request = parse_request<CreateClusterRequest>(document);
    if (!request) return std::move(request).error();
    if (auto bad = check_tags(request->tags)) return std::move(*bad);
    const std::string name = request->name.empty() ? "default" : request->name;
    const bool valid = name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
                           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
                       });
    if (!valid)
        return invalid_parameter("Invalid cluster name: use up to 255 letters, numbers, hyphens and underscores.");
    Reply reply;
    if (const Cluster* existing = api.state.active_cluster(name)) {
        // the service answers the existing one; creating twice is not an error
        reply.body["cluster"] = one_cluster(api, *existing);
        return reply;
    }
    Cluster cluster;
    cluster.name = name;
    cluster.arn = make_arn(api.state.identity(), "cluster/" + name);
    cluster.status = "ACTIVE";
    cluster.tags = request->tags;
    cluster.settings = request->settings;
    cluster.configuration = request->configuration;
    reply.body["cluster"] = one_cluster(api, api.state.save(std::move(cluster)));
    return reply;
}

ApiResult describe_clusters(Api& api, const Json& document) {
    auto request = parse_request<DescribeClustersRequest>(document);
    if (!request) return std::move(request).error();
    if (request->clusters.size() > 100) return invalid_parameter("Clusters can have at most 100 entries.");
    Strings names = request->clusters;
    if (names.empty()) names.emplace_back("default");
    Reply reply;
    reply.body["clusters"] = OrderedJson::array();
    reply.body["failures"] = OrderedJson::array();
    for (const std::string& name : names) {
        if (const Cluster* cluster = api.state.cluster(name)) {
            reply.body["clusters"].push_back(one_cluster(api, *cluster, request->include));
        } else {
            const std::string arn = make_arn(api.state.identity(), "cluster/" + cluster_name_of(name));
            reply.body["failures"].push_back(failure_view(arn, "MISSING"));
        }
    }
    return reply;
}

ApiResult list_clusters(Api& api, const Json& document) {
    auto request = parse_request<ListRequest>(document);
    if (!request) return std::move(request).error();
    Strings arns;
    for (const auto& [name, cluster] : api.state.clusters()) {
        if (cluster.status == "ACTIVE") arns.push_back(cluster.arn);
    }
    auto page = paginate(std::move(arns), {request->next_token, request->max_results});
    if (!page) return std::move(page).error();
    Reply reply;
    reply.body["clusterArns"] = page->items;
    if (!page->next_token.empty()) reply.body["nextToken"] = page->next_token;
    return reply;
}

ApiResult delete_cluster(Api& api, const Json& document) {
    auto request = parse_request<DeleteClusterRequest>(document);
    if (!request) return std::move(request).error();
    Cluster* cluster = api.state.active_cluster(request->cluster);
    if (cluster == nullptr) return cluster_not_found();
    const ClusterCounts counts = counts_of(api, cluster->name);
    if (counts.instances > 0) {
        return ApiError{.code = "ClusterContainsContainerInstancesException",
                        .message = "The Cluster cannot be deleted while Container Instances are active or draining."};
    }
    if (counts.running + counts.pending > 0) {
        return ApiError{.code = "ClusterContainsTasksException",
                        .message = "The Cluster cannot be deleted while Tasks are active."};
    }
    cluster->status = "INACTIVE";
    api.state.save(cluster);
    Reply reply;
    reply.body["cluster"] = one_cluster(api, *cluster);
    return reply;
}

}  // namespace nodeagent::local
