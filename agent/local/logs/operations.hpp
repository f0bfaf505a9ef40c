#pragma once
// The operations of the CloudWatch Logs API (Logs_20140328, JSON 1.1).

#include <string_view>

#include "agent/base/json.hpp"
#include "agent/local/arn.hpp"
#include "agent/local/errors.hpp"
#include "agent/local/logs/log_store.hpp"

namespace nodeagent::local {

struct LogsApi {
    LogStore& store;
    const Identity& identity;
    std::int64_t now;  ///< ms since the epoch
};

// log_groups.cpp
ApiResult create_log_group(LogsApi& api, const Json& request);
ApiResult delete_log_group(LogsApi& api, const Json& request);
ApiResult create_log_stream(LogsApi& api, const Json& request);
ApiResult describe_log_groups(LogsApi& api, const Json& request);
ApiResult describe_log_streams(LogsApi& api, const Json& request);
// put_log_events.cpp
ApiResult put_log_events(LogsApi& api, const Json& request);
// read_log_events.cpp
ApiResult get_log_events(LogsApi& api, const Json& request);
ApiResult filter_log_events(LogsApi& api, const Json& request);

/// Whether an X-Amz-Target is for CloudWatch Logs.
[[nodiscard]] bool is_logs_target(std::string_view target);
/// Runs the operation; a fault that was asked for comes first.
[[nodiscard]] ApiResult answer_logs(LogsApi& api, std::string_view target, std::string_view body);

[[nodiscard]] ApiError no_log_group();
[[nodiscard]] ApiError no_log_stream();
[[nodiscard]] ApiError bad_log_parameter(std::string message);
[[nodiscard]] std::string log_group_arn(const Identity& identity, const std::string& group);
/// logGroupName, or the name in logGroupIdentifier.
[[nodiscard]] std::string requested_group(const std::string& name, const std::string& identifier);

}  // namespace nodeagent::local
