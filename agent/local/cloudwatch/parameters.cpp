#include "agent/local/cloudwatch/parameters.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kDimensionsAtMost = 30;
constexpr std::size_t kNameAtMost = 255;
constexpr std::size_t kDimensionValueAtMost = 1024;
constexpr double kLastSecond = 9e9;  // in the year 2255: nanoseconds since 1970 still fit 64 bits

constexpr std::array<std::string_view, 27> kUnits{
    "Seconds",          "Microseconds",     "Milliseconds", "Bytes",           "Kilobytes",        "Megabytes",
    "Gigabytes",        "Terabytes",        "Bits",         "Kilobits",        "Megabits",         "Gigabits",
    "Terabits",         "Percent",          "Count",        "Bytes/Second",    "Kilobytes/Second", "Megabytes/Second",
    "Gigabytes/Second", "Terabytes/Second", "Bits/Second",  "Kilobits/Second", "Megabits/Second",  "Gigabits/Second",
    "Terabits/Second",  "Count/Second",     "None"};

/// Printable ASCII, not only blanks.
bool is_plain_name(std::string_view text, std::size_t limit) {
    return text.size() <= limit && std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }) &&
           std::any_of(text.begin(), text.end(), [](char c) { return c != ' '; });
}

/// The service's words for a name that cannot be one.
std::optional<ApiError> bad_name(std::string_view text, const std::string& parameter, std::size_t limit) {
    if (text.empty()) return missing_value(parameter);
    if (is_plain_name(text, limit)) return std::nullopt;
    return bad_value("The parameter " + parameter + " must be 1 to " + std::to_string(limit) +
                     " printable ASCII characters, one of them no blank.");
}

}  // namespace

ApiError missing_value(std::string_view parameter) {
    return {.code = "MissingRequiredParameterException",
            .message = "The parameter " + std::string(parameter) + " is required."};
}
ApiError bad_value(std::string message) {
    return {.code = "InvalidParameterValueException", .message = std::move(message)};
}
ApiError bad_combination(std::string message) {
    return {.code = "InvalidParameterCombinationException", .message = std::move(message)};
}
ApiError validation_error(std::string message) { return {.code = "ValidationError", .message = std::move(message)}; }

std::string member_path(std::string_view list, std::size_t index) {
    return std::string(list) + ".member." + std::to_string(index + 1);
}

std::optional<double> number_of(const Json& value) {
    if (value.is_number()) return value.get<double>();
    if (!value.is_string()) return std::nullopt;
    const std::string_view text = trimmed(value.get_ref<const std::string&>());
    double number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<std::int64_t> integer_of(const Json& value) {
    constexpr double kExact = 9007199254740992.0;  // 2^53: every whole number up to it is a double
    const auto number = number_of(value);
    if (!number || !(std::fabs(*number) <= kExact) || std::floor(*number) != *number) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

std::optional<bool> flag_of(const Json& value) {
    if (value.is_boolean()) return value.get<bool>();
    if (value == "true") return true;
    if (value == "false") return false;
    return std::nullopt;
}

std::optional<WallTime> time_of(const Json& value) {
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        if (auto when = parse_rfc3339(text)) return *when < WallTime{} ? std::nullopt : when;
        if (auto when = parse_rfc3339(text + "Z")) return *when < WallTime{} ? std::nullopt : when;
    }
    const auto seconds = number_of(value);
    if (!seconds || !(*seconds >= 0) || !(*seconds <= kLastSecond)) return std::nullopt;
    return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000)));
}

ApiOutcome<Metric> metric_named(std::string space, std::string name, const std::vector<DimensionMember>& dimensions,
                                const std::string& path) {
    Metric metric{.space = std::move(space), .name = std::move(name), .dimensions = {}};
    if (auto bad = bad_name(metric.name, path + "MetricName", kNameAtMost)) return std::move(*bad);
    if (dimensions.size() > kDimensionsAtMost) {
        return bad_value("The collection " + path + "Dimensions must not have a size greater than " +
                         std::to_string(kDimensionsAtMost) + ".");
    }
    for (std::size_t i = 0; i < dimensions.size(); ++i) {
        const std::string at = member_path(path + "Dimensions", i);
        if (auto bad = bad_name(dimensions[i].name, at + ".Name", kNameAtMost)) return std::move(*bad);
        if (auto bad = bad_name(dimensions[i].value, at + ".Value", kDimensionValueAtMost)) return std::move(*bad);
        if (dimensions[i].name.starts_with(':')) {
            return bad_value("The parameter " + at + ".Name must not begin with a colon.");
        }
        if (!metric.dimensions.emplace(dimensions[i].name, dimensions[i].value).second) {
            return bad_value("No Metric may specify the same dimension twice; " + at + ".Name repeats one.");
        }
    }
    if (auto bad = bad_name(metric.space, "Namespace", kNameAtMost)) return std::move(*bad);
    if (metric.space.starts_with(':'))
        return bad_value("The value for parameter Namespace must not begin with a colon.");
    return metric;
}

OrderedJson dimensions_view(const Dimensions& dimensions) {
    OrderedJson list = OrderedJson::array();
    for (const auto& [name, value] : dimensions) list.push_back({{"Name", name}, {"Value", value}});
    return list;
}

bool is_unit(std::string_view unit) { return std::find(kUnits.begin(), kUnits.end(), unit) != kUnits.end(); }

}  // namespace nodeagent::local
