#pragma once
// What the members of CloudWatch requests hold. The JSON and CBOR protocols bring numbers, the query protocol their
// text: both are read the same way. Errors name parameters as the service does ("MetricData.member.1.Value").

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/base/json.hpp"
#include "agent/local/cloudwatch/metric_store.hpp"
#include "agent/local/errors.hpp"

namespace nodeagent::local {

[[nodiscard]] ApiError missing_value(std::string_view parameter);
[[nodiscard]] ApiError bad_value(std::string message);
[[nodiscard]] ApiError bad_combination(std::string message);
/// What GetMetricData answers to whatever is wrong with its queries.
[[nodiscard]] ApiError validation_error(std::string message);

/// "<list>.member.<index + 1>"
[[nodiscard]] std::string member_path(std::string_view list, std::size_t index);

/// Nothing for what is no number; infinities and NaN, which only text can be, are numbers.
[[nodiscard]] std::optional<double> number_of(const Json& value);
[[nodiscard]] std::optional<std::int64_t> integer_of(const Json& value);
[[nodiscard]] std::optional<bool> flag_of(const Json& value);
/// Epoch seconds, or ISO 8601 (UTC when it names no zone), from 1970 on.
[[nodiscard]] std::optional<WallTime> time_of(const Json& value);

struct DimensionMember {
    std::string name;
    std::string value;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("Name", &DimensionMember::name),
                          optional_field("Value", &DimensionMember::value)};
    }
};

/// A metric as requests name it. `path` is what stands before its members, with the dot, or "".
[[nodiscard]] ApiOutcome<Metric> metric_named(std::string space, std::string name,
                                              const std::vector<DimensionMember>& dimensions, const std::string& path);
/// [{"Name", "Value"}, ...]
[[nodiscard]] OrderedJson dimensions_view(const Dimensions& dimensions);

/// One of the units CloudWatch knows.
[[nodiscard]] bool is_unit(std::string_view unit);

}  // namespace nodeagent::local
