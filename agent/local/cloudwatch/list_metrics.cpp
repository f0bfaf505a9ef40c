#include <algorithm>
#include <chrono>
#include <string>

#include "agent/base/strings.hpp"
#include "agent/local/cloudwatch/operations.hpp"
#include "agent/local/cloudwatch/parameters.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kMetricsPerPage = 500;
constexpr std::size_t kFiltersAtMost = 10;
constexpr std::chrono::hours kRecent{3};

struct ListMetricsRequest {
    std::string space;
    std::string name;
    std::vector<DimensionMember> dimensions;  ///< without a value: any
    std::string next_token;
    std::string recently_active;
    static constexpr auto json_fields() {
        using T = ListMetricsRequest;
        return std::tuple{optional_field("Namespace", &T::space), optional_field("MetricName", &T::name),
                          optional_field("Dimensions", &T::dimensions), optional_field("NextToken", &T::next_token),
                          optional_field("RecentlyActive", &T::recently_active)};
    }
};

/// A token is the last metric of the page before it, so that pages stay right when metrics come and go.
std::string metric_token(const Metric& metric) {
    return base64_encode(dump_json(Json::array({metric.space, metric.name, Json(metric.dimensions)})));
}

std::optional<Metric> metric_in_token(const std::string& token) {
    const auto text = base64_decode(token);
    const auto parts = parse_json(text ? *text : "");
    if (!parts || !parts->is_array() || parts->size() != 3 || !(*parts)[0].is_string() || !(*parts)[1].is_string() ||
        !(*parts)[2].is_object()) {
        return std::nullopt;
    }
    Metric metric{.space = (*parts)[0].get<std::string>(), .name = (*parts)[1].get<std::string>(), .dimensions = {}};
    for (const auto& [name, value] : (*parts)[2].items()) {
        if (!value.is_string()) return std::nullopt;
        metric.dimensions.emplace(name, value.get<std::string>());
    }
    return metric;
}

bool fits(const ListMetricsRequest& request, const Metric& metric) {
    if (!request.space.empty() && metric.space != request.space) return false;
    if (!request.name.empty() && metric.name != request.name) return false;
    return std::all_of(request.dimensions.begin(), request.dimensions.end(), [&](const DimensionMember& filter) {
        const auto found = metric.dimensions.find(filter.name);
        return found != metric.dimensions.end() && (filter.value.empty() || found->second == filter.value);
    });
}

}  // namespace

ApiResult list_metrics(CloudWatch& cloudwatch, const Json& document) {
    auto request = parse_request<ListMetricsRequest>(document);
    if (!request) return std::move(request).error();
    if (request->dimensions.size() > kFiltersAtMost) {
        return bad_value("The collection Dimensions must not have a size greater than " +
                         std::to_string(kFiltersAtMost) + ".");
    }
    for (std::size_t i = 0; i < request->dimensions.size(); ++i) {
        if (request->dimensions[i].name.empty()) return missing_value(member_path("Dimensions", i) + ".Name");
    }
    if (!request->recently_active.empty() && request->recently_active != "PT3H") {
        return bad_value("The parameter RecentlyActive must be PT3H.");
    }
    const auto& metrics = cloudwatch.metrics.metrics();
    auto at = metrics.begin();
    if (!request->next_token.empty()) {
        const auto last = metric_in_token(request->next_token);
        if (!last) return bad_value("The value for parameter NextToken is invalid.");
        at = metrics.upper_bound(*last);
    }
    const WallTime recent = request->recently_active.empty() ? WallTime{} : cloudwatch.now - kRecent;
    OrderedJson page = OrderedJson::array();
    std::string next_token;
    const Metric* last = nullptr;
    for (; at != metrics.end(); ++at) {
        const auto& [metric, series] = *at;
        if (series.latest < recent || !fits(*request, metric)) continue;
        if (page.size() == kMetricsPerPage) {
            next_token = metric_token(*last);
            break;
        }
        OrderedJson entry;
        entry["Namespace"] = metric.space;
        entry["MetricName"] = metric.name;
        entry["Dimensions"] = dimensions_view(metric.dimensions);
        page.push_back(std::move(entry));
        last = &metric;
    }
    Reply reply;
    reply.body["Metrics"] = std::move(page);
    if (!next_token.empty()) reply.body["NextToken"] = next_token;
    return reply;
}

}  // namespace nodeagent::local
