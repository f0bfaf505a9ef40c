// A request to CloudWatch. The first byte is its protocol: q (query), j (JSON), c (CBOR), upper case when the body is
// packed by gzip; j and c are followed by the operation and a line end. The rest is the body.
#include "agent/base/strings.hpp"
#include "agent/local/cloudwatch/cbor.hpp"
#include "agent/local/cloudwatch/service.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using namespace nodeagent::local;
using namespace std::chrono_literals;
using fuzz::require;

constexpr Minute kNow{29'453'760min};  // 2026-01-01T00:00:00Z, as in the seeds
constexpr MetricLimits kLimits{.age = 24h, .metrics = 20, .points = 100, .name_bytes = 2'000};

MetricStore some_metrics() {
    MetricStore metrics(kLimits);
    for (int i = 0; i < 30; ++i) {
        metrics.add({.space = "AWS/ECS", .name = "CPUUtilization", .dimensions = {{"ClusterName", "c"}}}, "Percent",
                    kNow - i * 1min, StatisticSet::of(i));
    }
    return metrics;
}

void check_store(const MetricStore& metrics) {
    require(metrics.metrics().size() <= kLimits.metrics, "the number of metrics is bounded");
    require(metrics.points() <= kLimits.points, "the number of points is bounded");
    std::size_t points = 0;
    for (const auto& [metric, series] : metrics.metrics()) {
        for (const auto& [unit, list] : series.units) points += list.size();
    }
    require(points == metrics.points(), "points are counted right");
}

void check_answer(const CloudWatchAnswer& answer, CloudWatchProtocol protocol) {
    require(answer.status == 200 || answer.status == 400 || answer.status == 413, "the status is one of the service's");
    require(answer.error.has_value() == (answer.status != 200), "errors have a status of errors");
    if (protocol == CloudWatchProtocol::Query) {
        require(is_utf8(answer.body), "XML is UTF-8", answer.body);
        for (const char c : answer.body) {
            require(static_cast<unsigned char>(c) >= ' ' || c == '\t' || c == '\n', "XML has no control characters");
        }
    } else if (protocol == CloudWatchProtocol::Json) {
        require(parse_json(answer.body).has_value(), "a JSON answer is JSON", answer.body);
    } else {
        require(parse_cbor(answer.body).has_value(), "a CBOR answer is CBOR", answer.body);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view input = fuzz::text_of(bytes, size);
    if (input.empty()) return 0;
    const std::string kind = lower(input.substr(0, 1));
    CloudWatchRequest request;
    request.content_encoding = kind[0] == input[0] ? "" : "gzip";
    input.remove_prefix(1);
    if (kind == "j" || kind == "c") {
        request.protocol = kind == "j" ? CloudWatchProtocol::Json : CloudWatchProtocol::Cbor;
        request.operation = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(request.operation.size() + 1, input.size()));
    }
    request.body = input;
    MetricStore metrics = some_metrics();
    const CloudWatch cloudwatch{.metrics = metrics, .now = kNow + 30s};
    check_answer(answer_cloudwatch(cloudwatch, request, "id"), request.protocol);
    check_store(metrics);

    if (request.protocol == CloudWatchProtocol::Cbor) {
        const auto item = parse_cbor(input);
        if (!item) return 0;
        const std::string once = dump_cbor(OrderedJson(*item));
        const auto again = parse_cbor(once);
        require(again.has_value() && dump_cbor(OrderedJson(*again)) == once, "what was read is written and read again");
    }
    return 0;
}
