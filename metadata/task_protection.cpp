#include "metadata/task_protection.hpp"

#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

#include "agent/base/strings.hpp"
#include "agent/model/snapshot.hpp"
#include "metadata/go_json.hpp"
#include "metadata/task_metadata_v3.hpp"

namespace nodeagent::metadata {

namespace {

Response error_response(unsigned status, std::string_view task_arn, std::string_view code, std::string_view message,
                        const std::string* request_id = nullptr) {
    JsonWriter out;
    out.begin_object();
    if (request_id != nullptr) out.member("requestID", *request_id);
    out.key("error");
    out.begin_object();
    out.member_unless_empty("Arn", task_arn);
    out.member("Code", code);
    out.member("Message", message);
    out.end_object();
    out.end_object();
    return json_response(std::move(out).text(), status);
}

void member_or_null(JsonWriter& out, std::string_view name, const std::optional<std::string>& text) {
    out.key(name);
    if (text) {
        out.value(*text);
    } else {
        out.null();
    }
}

Response failure_response(const ProtectionAnswer::Failure& failure) {
    JsonWriter out;
    out.begin_object();
    out.key("failure");
    out.begin_object();
    member_or_null(out, "Arn", failure.arn);
    member_or_null(out, "Detail", failure.detail);
    member_or_null(out, "Reason", failure.reason);
    out.end_object();
    out.end_object();
    return json_response(std::move(out).text());
}

Response protected_response(const ProtectionAnswer::ProtectedTask& task) {
    JsonWriter out;
    out.begin_object();
    out.key("protection");
    out.begin_object();
    out.key("ExpirationDate");
    if (task.expires_at) {
        out.value(std::chrono::time_point_cast<std::chrono::system_clock::duration>(
            std::chrono::floor<std::chrono::milliseconds>(*task.expires_at)));
    } else {
        out.null();
    }
    out.member("ProtectionEnabled", task.enabled);
    out.member("TaskArn", task.task_arn);
    out.end_object();
    out.end_object();
    return json_response(std::move(out).text());
}

// The first JSON value of a text, whatever follows it.
Result<nlohmann::json> first_value(std::string_view text) {
    try {
        std::istringstream stream{std::string(text)};
        nlohmann::json document;
        stream >> document;
        return Result<nlohmann::json>(boost::system::in_place_value, std::move(document));
    } catch (const nlohmann::json::exception& e) {
        return Error{.kind = ErrorKind::Malformed, .what = e.what()};
    }
}

}  // namespace

Result<ProtectionRequest> parse_protection_request(std::string_view body) {
    const auto malformed = [](std::string what) {
        return Error{.kind = ErrorKind::Malformed, .what = std::move(what)};
    };
    Result<nlohmann::json> document = first_value(body);
    if (!document) return std::move(document).error();
    ProtectionRequest request;
    if (document->is_null()) return request;
    if (!document->is_object()) return malformed("the body is not an object");
    for (const auto& [name, value] : document->items()) {
        if (equals_ignoring_case(name, "ProtectionEnabled")) {
            if (value.is_null()) {
                request.enabled.reset();
            } else if (value.is_boolean()) {
                request.enabled = value.get<bool>();
            } else {
                return malformed("ProtectionEnabled is not a boolean");
            }
        } else if (equals_ignoring_case(name, "ExpiresInMinutes")) {
            const bool too_large =
                value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
            if (value.is_null()) {
                request.expires_in_minutes.reset();
            } else if (value.is_number_integer() && !too_large) {
                request.expires_in_minutes = value.get<std::int64_t>();
            } else {
                return malformed("ExpiresInMinutes is not an integer");
            }
        } else {
            return malformed("unknown member " + name);
        }
    }
    return request;
}

ProtectionStep plan_protection(const model::Snapshot& snapshot, const credentials::Registry& registry,
                               std::string_view endpoint_id, std::optional<std::string_view> put_body) {
    ProtectionStep step;
    ProtectionRequest update;
    if (put_body) {
        Result<ProtectionRequest> parsed = parse_protection_request(*put_body);
        if (!parsed) {
            step.answer =
                error_response(400, "", "InvalidParameterException", "UpdateTaskProtection: failed to decode request");
            return step;
        }
        update = *parsed;
    }
    const auto* key = find_endpoint(snapshot, endpoint_id);
    if (key == nullptr) {
        step.answer = error_response(404, "", "ResourceNotFoundException", "Failed to find a task for the request");
        return step;
    }
    const model::TaskView& task = *key->task;
    if (put_body && !update.enabled) {
        step.answer = error_response(400, task.arn, "InvalidParameterException",
                                     "Invalid request: does not contain 'ProtectionEnabled' field");
        return step;
    }
    step.call.task_arn = task.arn;
    step.call.role = task.credentials_id.empty() ? nullptr : registry.get(task.credentials_id);
    if (step.call.role == nullptr) {
        step.answer = error_response(403, task.arn, "AccessDeniedException",
                                     "Invalid Request: no task IAM role credentials available for task");
        return step;
    }
    if (put_body) {
        step.call.update = ProtectionUpdate{.enabled = *update.enabled, .expires_in_minutes = std::nullopt};
        if (update.expires_in_minutes) {
            // the reference cuts the number to 32 bits, and the service judges what is left
            step.call.update->expires_in_minutes = static_cast<std::int32_t>(*update.expires_in_minutes);
        }
    }
    return step;
}

Response protection_response(const std::string& task_arn, const net::ServiceResult<ProtectionAnswer>& outcome) {
    if (!outcome) {
        const net::ServiceError& error = outcome.error();
        if (error.answered()) {
            return error_response(static_cast<unsigned>(error.status), task_arn, error.code, error.message,
                                  &error.request_id);
        }
        if (error.kind == ErrorKind::Timeout) {
            return error_response(504, task_arn, "RequestCanceled", "Timed out calling ECS Task Protection API");
        }
        return error_response(500, task_arn, error.code.empty() ? "ServerException" : error.code, error.message);
    }
    const ProtectionAnswer& answer = *outcome;
    if (answer.failures.size() == 1) return failure_response(answer.failures.front());
    if (answer.failures.size() > 1 || answer.tasks.size() != 1) {
        return error_response(500, task_arn, "ServerException", "Unexpected error occurred");
    }
    return protected_response(answer.tasks.front());
}

}  // namespace nodeagent::metadata
