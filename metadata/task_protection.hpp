#pragma once
// GET and PUT /api/<id>/task-protection/v1/state: request and answer mapping around an ECS call made with the task's
// own role. endpoints.md 8.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/net/service_error.hpp"
#include "metadata/message.hpp"

namespace nodeagent::model {
struct Snapshot;
}

namespace nodeagent::metadata {

namespace asio = boost::asio;

struct ProtectionUpdate {
    bool enabled = false;
    std::optional<std::int32_t> expires_in_minutes;
};

/// GetTaskProtection, or UpdateTaskProtection when `update` is set, for one task with these credentials. Whole call
/// within 4 s, then kind Timeout without status.
struct ProtectionCall {
    std::string task_arn;
    std::shared_ptr<const credentials::TaskRoleCredentials> role;
    std::optional<ProtectionUpdate> update;
};

struct ProtectionAnswer {
    struct ProtectedTask {
        std::string task_arn;
        bool enabled = false;
        std::optional<std::chrono::system_clock::time_point> expires_at;
    };
    struct Failure {
        std::optional<std::string> arn, detail, reason;
    };
    std::vector<ProtectedTask> tasks;
    std::vector<Failure> failures;
};

using ProtectionApi = std::function<asio::awaitable<net::ServiceResult<ProtectionAnswer>>(ProtectionCall call)>;

/// Body of a PUT as the reference reads it: names match without regard to case, unknown ones are refused, only the
/// first JSON value counts, null is an empty object. `enabled` absent: the field was not given.
struct ProtectionRequest {
    std::optional<bool> enabled;
    std::optional<std::int64_t> expires_in_minutes;
};
[[nodiscard]] Result<ProtectionRequest> parse_protection_request(std::string_view body);

/// Either an answer to send at once, or the call to make.
struct ProtectionStep {
    std::optional<Response> answer;
    ProtectionCall call;
};
[[nodiscard]] ProtectionStep plan_protection(const model::Snapshot& snapshot, const credentials::Registry& registry,
                                             std::string_view endpoint_id, std::optional<std::string_view> put_body);
[[nodiscard]] Response protection_response(const std::string& task_arn,
                                           const net::ServiceResult<ProtectionAnswer>& outcome);

}  // namespace nodeagent::metadata
