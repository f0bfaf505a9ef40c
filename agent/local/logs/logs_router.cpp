#include <map>

#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/local/logs/operations.hpp"

namespace nodeagent::local {
namespace {

constexpr std::string_view kLogsService = "Logs_20140328.";

using LogsOperation = ApiResult (*)(LogsApi&, const Json&);

const std::map<std::string_view, LogsOperation>& logs_operations() {
    static const std::map<std::string_view, LogsOperation> table{
        {"CreateLogGroup", create_log_group},       {"DeleteLogGroup", delete_log_group},
        {"CreateLogStream", create_log_stream},     {"PutLogEvents", put_log_events},
        {"DescribeLogGroups", describe_log_groups}, {"DescribeLogStreams", describe_log_streams},
        {"GetLogEvents", get_log_events},           {"FilterLogEvents", filter_log_events},
    };
    return table;
}

}  // namespace

bool is_logs_target(std::string_view target) { return target.starts_with(kLogsService); }

ApiResult answer_logs(LogsApi& api, std::string_view target, std::string_view body) {
    const std::string_view name = target.substr(kLogsService.size());
    const auto operation = logs_operations().find(name);
    if (operation == logs_operations().end()) {
        return ApiError{.code = "UnknownOperationException",
                        .message =
                            "ecs-local serves CreateLogGroup, DeleteLogGroup, CreateLogStream, PutLogEvents, "
                            "DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents."};
    }
    LogStore::Fault& fault = api.store.fault;
    if (!fault.code.empty() && fault.calls != 0) {
        if (fault.calls > 0) --fault.calls;
        return ApiError{.code = fault.code, .message = "as /_local/logs asked for", .status = fault.status};
    }
    // as the service does: older SDKs send the bytes of a message as they are
    auto request = is_utf8(body) ? parse_json(body.empty() ? "{}" : body) : parse_json(valid_utf8(body));
    if (!request) return serialization_error(request.error().what);
    if (!request->is_object()) return serialization_error("the request must be a JSON object");
    try {
        ApiResult result = operation->second(api, *request);
        if (!result) {
            log::info("CloudWatch Logs call refused",
                      {{"operation", name}, {"code", result.error().code}, {"message", result.error().message}});
        }
        return result;
    } catch (const std::exception& e) {
        log::error("a CloudWatch Logs call failed unexpectedly", {{"operation", name}, {"error", e.what()}});
        return server_error();
    }
}

}  // namespace nodeagent::local
