#include "metadata/task_protection.hpp"

#include <cstdint>
#include <utility>

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

// Reads the body's members as they come and ends at the first that does not belong there: no document is built, so that
// a megabyte of brackets costs nothing.
class ProtectionReader final : public nlohmann::json_sax<nlohmann::json> {
  public:
    ProtectionRequest request;
    std::string problem;

    bool null() override {
        if (member_ == Member::Enabled) request.enabled.reset();
        if (member_ == Member::Expiry) request.expires_in_minutes.reset();
        return true;  // all of the body: as an empty object
    }
    bool boolean(bool value) override {
        if (member_ != Member::Enabled) return refuse("a boolean");
        request.enabled = value;
        return true;
    }
    bool number_integer(number_integer_t value) override {
        if (member_ != Member::Expiry) return refuse("a number");
        request.expires_in_minutes = value;
        return true;
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (value > static_cast<number_unsigned_t>(INT64_MAX)) return refuse("a number beyond 64 bits");
        return number_integer(static_cast<number_integer_t>(value));
    }
    bool number_float(number_float_t, const string_t&) override { return refuse("a fraction"); }
    bool string(string_t&) override { return refuse("a string"); }
    bool binary(binary_t&) override { return refuse("bytes"); }
    bool start_object(std::size_t) override { return std::exchange(inside_, true) ? refuse("an object") : true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return refuse("a list"); }
    bool end_array() override { return true; }
    bool key(string_t& name) override {
        if (equals_ignoring_case(name, "ProtectionEnabled")) {
            member_ = Member::Enabled;
        } else if (equals_ignoring_case(name, "ExpiresInMinutes")) {
            member_ = Member::Expiry;
        } else {
            return refuse("an unknown member");
        }
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
        problem = error.what();
        return false;
    }

  private:
    enum class Member : std::uint8_t { None, Enabled, Expiry };
    bool refuse(std::string_view what) {
        problem = std::string(what) + " where none belongs";
        return false;
    }
    Member member_ = Member::None;
    bool inside_ = false;
};

}  // namespace

Result<ProtectionRequest> parse_protection_request(std::string_view body) {
    ProtectionReader reader;
    const bool whole_body = false;  // only the first value counts
    if (!nlohmann::json::sax_parse(body.begin(), body.end(), &reader, nlohmann::json::input_format_t::json,
                                   whole_body)) {
        return Error{.kind = ErrorKind::Malformed, .what = std::move(reader.problem)};
    }
    return std::move(reader.request);
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
