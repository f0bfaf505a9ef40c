// PutMetricData: a request is taken whole or not at all, but for metrics there is no room for.

#include <chrono>
#include <cmath>

#include "agent/local/cloudwatch/operations.hpp"
#include "agent/local/cloudwatch/parameters.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kMetricsAtMost = 1000;
constexpr std::size_t kValuesAtMost = 150;
constexpr std::chrono::hours kPast{14 * 24};
constexpr std::chrono::hours kFuture{2};

struct StatisticSetMember {
    Json sample_count;
    Json sum;
    Json minimum;
    Json maximum;
    static constexpr auto json_fields() {
        using T = StatisticSetMember;
        return std::tuple{optional_field("SampleCount", &T::sample_count), optional_field("Sum", &T::sum),
                          optional_field("Minimum", &T::minimum), optional_field("Maximum", &T::maximum)};
    }
};

struct MetricDatum {
    std::string name;
    std::vector<DimensionMember> dimensions;
    Json timestamp;
    Json value;
    std::optional<StatisticSetMember> statistic_values;
    std::vector<Json> values;
    std::vector<Json> counts;
    std::string unit;
    Json storage_resolution;
    static constexpr auto json_fields() {
        using T = MetricDatum;
        return std::tuple{optional_field("MetricName", &T::name),
                          optional_field("Dimensions", &T::dimensions),
                          optional_field("Timestamp", &T::timestamp),
                          optional_field("Value", &T::value),
                          optional_field("StatisticValues", &T::statistic_values),
                          optional_field("Values", &T::values),
                          optional_field("Counts", &T::counts),
                          optional_field("Unit", &T::unit),
                          optional_field("StorageResolution", &T::storage_resolution)};
    }
};

struct PutMetricDataRequest {
    std::string space;
    std::vector<MetricDatum> data;
    static constexpr auto json_fields() {
        using T = PutMetricDataRequest;
        return std::tuple{optional_field("Namespace", &T::space), optional_field("MetricData", &T::data)};
    }
};

struct PutEntry {
    Metric metric;
    std::string unit;
    Minute minute;
    StatisticSet values;
};

ApiOutcome<double> put_number(const Json& value, const std::string& parameter) {
    static const double kLimit = std::ldexp(1.0, 360);
    if (value.is_null()) return missing_value(parameter);
    const auto number = number_of(value);
    if (!number || !std::isfinite(*number) || std::fabs(*number) > kLimit) {
        return bad_value("The value for parameter " + parameter + " is invalid: a number from -2^360 to 2^360 is.");
    }
    return *number;
}

ApiOutcome<StatisticSet> set_of(const StatisticSetMember& member, const std::string& at) {
    const auto count = put_number(member.sample_count, at + ".SampleCount");
    if (!count) return count.error();
    const auto sum = put_number(member.sum, at + ".Sum");
    if (!sum) return sum.error();
    const auto minimum = put_number(member.minimum, at + ".Minimum");
    if (!minimum) return minimum.error();
    const auto maximum = put_number(member.maximum, at + ".Maximum");
    if (!maximum) return maximum.error();
    if (*count <= 0) return bad_value("The parameter " + at + ".SampleCount must be greater than 0.");
    if (*minimum > *maximum) {
        return bad_combination("The parameter " + at + ".Maximum must be greater than or equal to " + at + ".Minimum.");
    }
    return StatisticSet{.count = *count, .sum = *sum, .minimum = *minimum, .maximum = *maximum};
}

ApiOutcome<StatisticSet> set_of(const std::vector<Json>& values, const std::vector<Json>& counts,
                                const std::string& at) {
    if (values.size() > kValuesAtMost) {
        return bad_value("The collection " + at + ".Values must not have a size greater than " +
                         std::to_string(kValuesAtMost) + ".");
    }
    if (!counts.empty() && counts.size() != values.size()) {
        return bad_value("The parameters " + at + ".Values and " + at + ".Counts must have the same size.");
    }
    StatisticSet set;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = put_number(values[i], member_path(at + ".Values", i));
        if (!value) return value.error();
        double times = 1;
        if (!counts.empty()) {
            const std::string parameter = member_path(at + ".Counts", i);
            const auto count = put_number(counts[i], parameter);
            if (!count) return count.error();
            if (*count <= 0) return bad_value("The parameter " + parameter + " must be greater than 0.");
            times = *count;
        }
        set.merge(StatisticSet::of(*value, times));
    }
    return set;
}

ApiOutcome<StatisticSet> values_of(const MetricDatum& datum, const std::string& at) {
    const bool one = !datum.value.is_null();
    const bool set = datum.statistic_values.has_value();
    const bool many = !datum.values.empty();
    if (one && set) {
        return bad_combination("The parameters " + at + ".Value and " + at +
                               ".StatisticValues are mutually exclusive and you have specified both.");
    }
    if (many && (one || set)) {
        return bad_combination("The parameters " + at + ".Values and " + at + (one ? ".Value" : ".StatisticValues") +
                               " are mutually exclusive and you have specified both.");
    }
    if (set) return set_of(*datum.statistic_values, at + ".StatisticValues");
    if (many) return set_of(datum.values, datum.counts, at);
    if (!one) {
        return ApiError{.code = "MissingRequiredParameterException",
                        .message = "At least one of the parameters " + at + ".Value, " + at + ".Values and " + at +
                                   ".StatisticValues must be specified."};
    }
    const auto value = put_number(datum.value, at + ".Value");
    if (!value) return value.error();
    return StatisticSet::of(*value);
}

ApiOutcome<PutEntry> entry_of(const std::string& space, const MetricDatum& datum, const std::string& at, WallTime now) {
    auto metric = metric_named(space, datum.name, datum.dimensions, at + ".");
    if (!metric) return std::move(metric).error();
    const auto values = values_of(datum, at);
    if (!values) return values.error();
    WallTime when = now;
    if (!datum.timestamp.is_null()) {
        const auto given = time_of(datum.timestamp);
        if (!given || *given < now - kPast) {
            return bad_value("The parameter " + at + ".Timestamp must specify a time within the past two weeks.");
        }
        if (*given > now + kFuture) {
            return bad_value("The parameter " + at +
                             ".Timestamp must specify a time no more than two hours in the future.");
        }
        when = *given;
    }
    if (!datum.unit.empty() && !is_unit(datum.unit)) {
        return bad_value("The parameter " + at + ".Unit must be one of the units of the API.");
    }
    if (!datum.storage_resolution.is_null()) {
        const auto seconds = integer_of(datum.storage_resolution);
        if (!seconds || (*seconds != 1 && *seconds != 60)) {
            return bad_value("The parameter " + at + ".StorageResolution must be 1 or 60.");
        }
    }
    return PutEntry{.metric = std::move(*metric),
                    .unit = datum.unit.empty() ? "None" : datum.unit,
                    .minute = std::chrono::floor<std::chrono::minutes>(when),
                    .values = *values};
}

}  // namespace

ApiResult put_metric_data(CloudWatch& cloudwatch, const Json& document) {
    auto request = parse_request<PutMetricDataRequest>(document);
    if (!request) return std::move(request).error();
    if (request->space.empty()) return missing_value("Namespace");
    if (request->space.starts_with("AWS/")) return bad_value("The value AWS/ for parameter Namespace is invalid.");
    if (request->data.empty()) return missing_value("MetricData");
    if (request->data.size() > kMetricsAtMost) {
        return bad_value("The collection MetricData must not have a size greater than " +
                         std::to_string(kMetricsAtMost) + ".");
    }
    std::vector<PutEntry> entries;
    for (std::size_t i = 0; i < request->data.size(); ++i) {
        auto entry = entry_of(request->space, request->data[i], member_path("MetricData", i), cloudwatch.now);
        if (!entry) return std::move(entry).error();
        entries.push_back(std::move(*entry));
    }
    const Minute oldest = std::chrono::floor<std::chrono::minutes>(cloudwatch.now) - cloudwatch.metrics.limits().age;
    bool kept = true;
    for (const PutEntry& entry : entries) {
        // the service takes what is two weeks old; here it would be forgotten at once
        if (entry.minute < oldest) continue;
        kept = cloudwatch.metrics.add(entry.metric, entry.unit, entry.minute, entry.values) && kept;
    }
    if (kept) return Reply{};
    return ApiError{.code = "LimitExceededException",
                    .message = "ecs-local keeps " + std::to_string(cloudwatch.metrics.limits().metrics) +
                               " metrics at most; new ones of this request were not kept."};
}

}  // namespace nodeagent::local
