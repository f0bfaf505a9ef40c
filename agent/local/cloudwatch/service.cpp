#include "agent/local/cloudwatch/service.hpp"

#include <map>

#include "agent/base/gzip.hpp"
#include "agent/base/strings.hpp"
#include "agent/local/cloudwatch/cbor.hpp"
#include "agent/local/cloudwatch/query_protocol.hpp"

namespace nodeagent::local {
namespace {

constexpr std::size_t kSentAtMost = 1U << 20U;
constexpr std::size_t kUnpackedAtMost = 8U << 20U;
constexpr std::string_view kJsonTarget = "GraniteServiceVersion20100801.";
constexpr std::string_view kCborPath = "/service/GraniteServiceVersion20100801/operation/";
constexpr std::string_view kFormType = "application/x-www-form-urlencoded";
constexpr std::string_view kXmlns = "http://monitoring.amazonaws.com/doc/2010-08-01/";

using CloudWatchOperation = ApiResult (*)(CloudWatch&, const Json&);

const std::map<std::string_view, CloudWatchOperation>& cloudwatch_operations() {
    static const std::map<std::string_view, CloudWatchOperation> table{
        {"PutMetricData", put_metric_data},
        {"GetMetricStatistics", get_metric_statistics},
        {"GetMetricData", get_metric_data},
        {"ListMetrics", list_metrics},
    };
    return table;
}

ApiError too_large(const std::string& what) {
    return {.code = "RequestEntityTooLarge", .message = "Request size " + what, .status = 413};
}

/// The body as the client wrote it, or what is wrong with it.
std::optional<ApiError> unpack(const CloudWatchRequest& request, std::string& plain) {
    if (request.body.size() > kSentAtMost) {
        return too_large(std::to_string(request.body.size()) + " exceeded " + std::to_string(kSentAtMost) + " bytes");
    }
    if (request.content_encoding.empty()) {
        plain = request.body;
        return std::nullopt;
    }
    if (!equals_ignoring_case(request.content_encoding, "gzip")) {
        return serialization_error("the Content-Encoding is not supported; gzip is");
    }
    auto unpacked = gunzip(request.body, kUnpackedAtMost);
    if (unpacked) {
        plain = std::move(*unpacked);
        return std::nullopt;
    }
    if (unpacked.error().kind == ErrorKind::Denied) return too_large("unpacked is " + unpacked.error().what);
    return serialization_error("the body is " + unpacked.error().what);
}

Result<Json> document_of(const CloudWatchRequest& request, std::string_view body) {
    const bool none = body.empty();
    if (request.protocol == CloudWatchProtocol::Cbor && !none) return parse_cbor(body);
    return parse_json(none ? "{}" : body);
}

ApiResult run_operation(CloudWatch& cloudwatch, const std::string& name, const Json& document) {
    const auto operation = cloudwatch_operations().find(name);
    if (operation == cloudwatch_operations().end()) {
        // the name may be any bytes: it is not repeated
        return ApiError{.code = "UnknownOperationException",
                        .message = "Could not find the operation; ecs-local serves PutMetricData, GetMetricStatistics, "
                                   "GetMetricData and ListMetrics."};
    }
    if (!document.is_object()) return serialization_error("the request must be a structure");
    return operation->second(cloudwatch, document);
}

/// Runs the request; `operation` becomes its name.
ApiResult run_request(CloudWatch& cloudwatch, const CloudWatchRequest& request, std::string& operation) {
    std::string body;
    if (auto bad = unpack(request, body)) return std::move(*bad);
    if (request.protocol == CloudWatchProtocol::Query) {
        const auto query = parse_query_request(body);
        if (!query) return serialization_error(query.error().what);
        operation = query->action;
        return run_operation(cloudwatch, operation, query->parameters);
    }
    const auto document = document_of(request, body);
    if (!document) return serialization_error(document.error().what);
    return run_operation(cloudwatch, operation, *document);
}

CloudWatchAnswer in_query(const ApiResult& result, const std::string& operation, const std::string& request_id) {
    CloudWatchAnswer answer;
    answer.content_type = "text/xml";
    answer.body = result ? query_answer(operation, result->body, kXmlns, request_id)
                         : query_error(result.error(), kXmlns, request_id);
    return answer;
}

CloudWatchAnswer in_document(const ApiResult& result, CloudWatchProtocol protocol) {
    CloudWatchAnswer answer;
    const bool cbor = protocol == CloudWatchProtocol::Cbor;
    answer.content_type = cbor ? "application/cbor" : "application/x-amz-json-1.0";
    if (cbor) answer.headers.emplace_back("smithy-protocol", "rpc-v2-cbor");
    OrderedJson document = OrderedJson::object();
    if (result) {
        document = result->body;
    } else {
        const ApiError error = result.error();
        document["__type"] = error.code;
        document["message"] = error.message;
        // SDKs show the code that the query protocol has always had
        answer.headers.emplace_back("x-amzn-query-error",
                                    query_code(error.code) + ";" + (error.status < 500 ? "Sender" : "Receiver"));
    }
    answer.body = cbor ? dump_cbor(document) : dump_json(document);
    return answer;
}

CloudWatchAnswer answer_with(const ApiResult& result, const CloudWatchRequest& request, const std::string& operation,
                             const std::string& request_id) {
    CloudWatchAnswer answer = request.protocol == CloudWatchProtocol::Query ? in_query(result, operation, request_id)
                                                                            : in_document(result, request.protocol);
    answer.operation = operation;
    if (result) return answer;
    answer.error = result.error();
    answer.status = answer.error->status;
    return answer;
}

}  // namespace

std::optional<CloudWatchRequest> cloudwatch_request(std::string_view target, std::string_view amz_target,
                                                    std::string_view content_type) {
    CloudWatchRequest request;
    if (target.starts_with(kCborPath)) {
        request.protocol = CloudWatchProtocol::Cbor;
        request.operation = target.substr(kCborPath.size());
    } else if (amz_target.starts_with(kJsonTarget)) {
        request.protocol = CloudWatchProtocol::Json;
        request.operation = amz_target.substr(kJsonTarget.size());
    } else if (!amz_target.empty() || !content_type.starts_with(kFormType)) {
        return std::nullopt;
    }
    return request;
}

CloudWatchAnswer answer_cloudwatch(CloudWatch cloudwatch, const CloudWatchRequest& request,
                                   const std::string& request_id) {
    std::string operation = request.operation;
    const ApiResult result = run_request(cloudwatch, request, operation);
    return answer_with(result, request, operation, request_id);
}

CloudWatchAnswer refuse_cloudwatch(const CloudWatchRequest& request, const ApiError& error,
                                   const std::string& request_id) {
    return answer_with(ApiResult(error), request, request.operation, request_id);
}

}  // namespace nodeagent::local
