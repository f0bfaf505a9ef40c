#pragma once
// A PutMetricData request as CloudWatch reads it.

#include <map>
#include <string>
#include <vector>

#include "agent/base/strings.hpp"
#include "tests/fakes/gunzipped.hpp"

namespace nodeagent::fakes {

struct ReceivedMetric {
    std::string name;
    std::map<std::string, std::string> dimensions;
    std::string timestamp, unit;
    double count = 0, sum = 0, min = 0, max = 0;
};

struct MetricForm {
    std::map<std::string, std::string> fields;  ///< decoded
    std::vector<ReceivedMetric> metrics;
    std::size_t bytes = 0;  ///< before compression

    explicit MetricForm(const std::string& compressed) {
        const std::string form = gunzipped(compressed);
        bytes = form.size();
        for (const std::string_view pair : split(form, '&')) {
            const std::size_t equals = pair.find('=');
            if (equals == std::string_view::npos) continue;
            fields[std::string(pair.substr(0, equals))] = percent_decode(pair.substr(equals + 1)).value_or("?");
        }
        for (std::size_t i = 1; fields.contains(member(i) + "MetricName"); ++i) metrics.push_back(metric(member(i)));
    }

    /// nullptr when there is none of that name and just these dimensions.
    [[nodiscard]] const ReceivedMetric* find(const std::string& name,
                                             const std::map<std::string, std::string>& dimensions) const {
        for (const ReceivedMetric& one : metrics) {
            if (one.name == name && one.dimensions == dimensions) return &one;
        }
        return nullptr;
    }

  private:
    static std::string member(std::size_t index) { return "MetricData.member." + std::to_string(index) + "."; }
    ReceivedMetric metric(const std::string& prefix) {
        const auto number = [&](const char* what) { return std::stod(fields[prefix + "StatisticValues." + what]); };
        ReceivedMetric one;
        one.name = fields[prefix + "MetricName"];
        one.timestamp = fields[prefix + "Timestamp"];
        one.unit = fields[prefix + "Unit"];
        one.count = number("SampleCount");
        one.sum = number("Sum");
        one.min = number("Minimum");
        one.max = number("Maximum");
        for (int i = 1; fields.contains(prefix + "Dimensions.member." + std::to_string(i) + ".Name"); ++i) {
            const std::string dimension = prefix + "Dimensions.member." + std::to_string(i) + ".";
            one.dimensions[fields[dimension + "Name"]] = fields[dimension + "Value"];
        }
        return one;
    }
};

}  // namespace nodeagent::fakes
