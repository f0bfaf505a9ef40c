#include "agent/telemetry/put_metric_data.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "agent/base/gzip.hpp"
#include "agent/base/gzip_writer.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::telemetry {

namespace {

constexpr std::string_view kMember = "&MetricData.member.";

/// The shortest text that is read back as the same number: one that is rounded may leave [Minimum, Maximum].
std::string text_of(double value) {
    std::array<char, 32> text;
    const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), written.ptr};
}

/// One member of the list, with its index in every name.
class Member {
  public:
    explicit Member(std::size_t index) : prefix_(std::string(kMember) + std::to_string(index) + '.') {}
    void add(std::string_view name, std::string_view value) {
        form_.append(prefix_).append(name).append("=").append(percent_encode(value));
    }
    void add_dimension(std::string_view name, std::string_view value) {
        if (value.empty()) return;
        const std::string dimension = "Dimensions.member." + std::to_string(++dimensions_) + '.';
        add(dimension + "Name", name);
        add(dimension + "Value", value);
    }
    [[nodiscard]] std::string take() { return std::move(form_); }

  private:
    std::string prefix_;
    std::string form_;
    std::size_t dimensions_ = 0;
};

class Requests {
  public:
    Requests(const MetricMinute& minute, std::string_view cluster, RequestLimits limits)
        : minute_(minute), cluster_(cluster), limits_(limits), timestamp_(rfc3339_seconds(minute.start)) {}

    std::vector<MetricRequest> all() {
        for (const MetricSeries& series : minute_.series) {
            for (const Datum& datum : series.data) add(series.of, datum);
        }
        end();
        return std::move(done_);
    }

  private:
    [[nodiscard]] std::string encoded(const Dimensions& of, const Datum& datum, std::size_t index) const {
        Member member(index);
        member.add("MetricName", name_of(datum.metric));
        member.add_dimension("ClusterName", cluster_);
        member.add_dimension("ServiceName", of.service);
        member.add_dimension("TaskDefinitionFamily", of.family);
        member.add_dimension("TaskId", of.task_id);
        member.add_dimension("ContainerName", of.container);
        member.add("Timestamp", timestamp_);
        member.add("StatisticValues.SampleCount", text_of(datum.set.count));
        member.add("StatisticValues.Sum", text_of(datum.set.sum));
        member.add("StatisticValues.Minimum", text_of(datum.set.min));
        member.add("StatisticValues.Maximum", text_of(datum.set.max));
        member.add("Unit", unit_of(datum.metric));
        return member.take();
    }

    void add(const Dimensions& of, const Datum& datum) {
        std::string text = encoded(of, datum, metrics_ + 1);
        if (metrics_ == limits_.metrics || (metrics_ > 0 && bytes_ + text.size() > limits_.bytes)) {
            end();
            text = encoded(of, datum, 1);
        }
        if (metrics_ == 0)
            append("Action=PutMetricData&Version=2010-08-01&Namespace=" + percent_encode(kMetricNamespace));
        append(text);
        ++metrics_;
    }
    void append(const std::string& text) {
        gzip_.append(text);
        bytes_ += text.size();
    }
    void end() {
        if (metrics_ == 0) return;
        done_.push_back({.form = gzip_.finish(), .metrics = metrics_, .minute = minute_.start});
        metrics_ = bytes_ = 0;
    }

    const MetricMinute& minute_;
    std::string_view cluster_;
    RequestLimits limits_;
    std::string timestamp_;
    GzipWriter gzip_;
    std::size_t metrics_ = 0, bytes_ = 0;  ///< of the request under way
    std::vector<MetricRequest> done_;
};

}  // namespace

std::vector<MetricRequest> put_metric_data(const MetricMinute& minute, std::string_view cluster, RequestLimits limits) {
    return Requests(minute, cluster, limits).all();
}

std::vector<MetricRequest> halves_of(const MetricRequest& request, std::size_t limit) {
    const auto plain = gunzip(request.form, limit);
    if (!plain || request.metrics < 2) return {};
    const std::size_t in_first = (request.metrics + 1) / 2;
    GzipWriter first, second;
    const std::string_view form = *plain;
    std::size_t member = form.find(kMember);
    first.append(form.substr(0, member));
    second.append(form.substr(0, member));
    while (member != std::string_view::npos) {
        const std::size_t next = form.find(kMember, member + 1);  // a value holds no '&' that is not encoded
        const std::string_view field = form.substr(member + kMember.size(), next - member - kMember.size());
        std::size_t index = 0;
        const auto read = std::from_chars(field.data(), field.data() + field.size(), index);
        const bool behind = index > in_first;
        const std::string place = std::to_string(behind ? index - in_first : index);
        GzipWriter& half = behind ? second : first;
        half.append(kMember);
        half.append(place);
        half.append(field.substr(static_cast<std::size_t>(read.ptr - field.data())));
        member = next;
    }
    std::vector<MetricRequest> halves;
    halves.push_back({.form = first.finish(), .metrics = in_first, .minute = request.minute});
    halves.push_back({.form = second.finish(), .metrics = request.metrics - in_first, .minute = request.minute});
    return halves;
}

}  // namespace nodeagent::telemetry
