#include "agent/container_requests.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/backoff.hpp"
#include "agent/base/json.hpp"
#include "agent/ecs/api_client.hpp"

namespace nodeagent {

using namespace std::chrono_literals;

namespace {

using Tags = std::map<std::string, std::string>;

/// Task protection is asked for in the task's name.
class RoleProvider final : public credentials::Provider {
  public:
    explicit RoleProvider(const model::RoleCredentials& role) {
        credentials_.access_key_id = role.access_key_id;
        credentials_.secret_access_key = role.secret_access_key;
        credentials_.session_token = role.session_token;
        credentials_.source = "task role";
    }
    asio::awaitable<Result<credentials::AwsCredentials>> get() override { co_return credentials_; }
    void invalidate() override {}

  private:
    credentials::AwsCredentials credentials_;
};

struct ProtectedTask {
    std::string task_arn;
    bool enabled = false;
    std::optional<double> expires_at;
    static constexpr auto json_fields() {
        using T = ProtectedTask;
        return std::tuple{optional_field("taskArn", &T::task_arn), optional_field("protectionEnabled", &T::enabled),
                          optional_field("expirationDate", &T::expires_at)};
    }
};

struct ProtectionFailure {
    std::optional<std::string> arn;
    std::optional<std::string> detail;
    std::optional<std::string> reason;
    static constexpr auto json_fields() {
        using T = ProtectionFailure;
        return std::tuple{optional_field("arn", &T::arn), optional_field("detail", &T::detail),
                          optional_field("reason", &T::reason)};
    }
};

struct ProtectionResponse {
    std::vector<ProtectedTask> tasks;
    std::vector<ProtectionFailure> failures;
    static constexpr auto json_fields() {
        using T = ProtectionResponse;
        return std::tuple{optional_field("protectedTasks", &T::tasks), optional_field("failures", &T::failures)};
    }
};

metadata::ProtectionAnswer to_answer(const ProtectionResponse& response) {
    metadata::ProtectionAnswer answer;
    for (const ProtectedTask& task : response.tasks) {
        metadata::ProtectionAnswer::ProtectedTask& out = answer.tasks.emplace_back();
        out.task_arn = task.task_arn;
        out.enabled = task.enabled;
        if (task.expires_at)
            out.expires_at = WallTime(
                std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(*task.expires_at)));
    }
    for (const ProtectionFailure& failure : response.failures)
        answer.failures.push_back({failure.arn, failure.detail, failure.reason});
    return answer;
}

}  // namespace

asio::awaitable<Result<Tags>> ContainerRequests::tags(std::string arn, std::string container_name) {
    auto work = tags_here(std::move(arn), std::move(container_name));
    co_return co_await asio::co_spawn(parts_.main_shard, std::move(work), asio::use_awaitable);
}

asio::awaitable<net::ServiceResult<metadata::ProtectionAnswer>> ContainerRequests::protection(
    metadata::ProtectionCall call) {
    auto work = protection_here(std::move(call));
    co_return co_await asio::co_spawn(parts_.main_shard, std::move(work), asio::use_awaitable);
}

asio::awaitable<Result<Tags>> ContainerRequests::tags_here(std::string arn, std::string container_name) {
    net::AwsService service = parts_.ecs;
    if (!container_name.empty()) service.user_agent += " container/" + container_name;
    net::AwsClient client(
        net::AwsTransport{.http = parts_.http, .credentials = parts_.agent_credentials, .clock = parts_.clock},
        std::move(service), net::standard_retries());
    const std::string body = dump_json(Json{{"resourceArn", arn}});
    const SteadyTime give_up = parts_.clock.now().steady + 30s;
    Backoff backoff({.min = 500ms, .max = 10s, .jitter = 0.1, .multiplier = 1.5});
    for (int attempt = 1;; ++attempt) {
        const auto answer = co_await client.call_json("ListTagsForResource", body, give_up);
        if (answer) {
            const auto decoded = decode<model::ListTagsForResourceResponse>(*answer);
            if (!decoded) co_return with_context("GetResourceTags failed for " + arn, decoded.error());
            Tags found;
            for (const model::Tag& tag : decoded->tags) found[tag.key] = tag.value;
            co_return found;
        }
        const net::ServiceError failure = answer.error();
        const auto delay = backoff.next();
        if (!ecs::is_transient(failure) || parts_.clock.now().steady + delay >= give_up) {
            co_return Error{
                .kind = failure.kind,
                .what = "GetResourceTags failed for " + arn + " after " + std::to_string(attempt) +
                        " attempts: " + net::to_error("operation error ECS: ListTagsForResource", failure).what};
        }
        co_await parts_.clock.sleep_for(delay);
    }
}

asio::awaitable<net::ServiceResult<metadata::ProtectionAnswer>> ContainerRequests::protection_here(
    metadata::ProtectionCall call) {
    RoleProvider provider(call.role->role);
    net::AwsClient client(net::AwsTransport{.http = parts_.http, .credentials = provider, .clock = parts_.clock},
                          parts_.ecs, net::standard_retries());
    Json body{{"cluster", cluster_}, {"tasks", {call.task_arn}}};
    if (call.update) {
        body["protectionEnabled"] = call.update->enabled;
        if (call.update->expires_in_minutes) body["expiresInMinutes"] = *call.update->expires_in_minutes;
    }
    const SteadyTime deadline = parts_.clock.now().steady + 4s;
    const std::string operation = call.update ? "UpdateTaskProtection" : "GetTaskProtection";
    const auto answer = co_await client.call_json(operation, dump_json(body), deadline);
    if (!answer) co_return answer.error();
    const auto decoded = decode<ProtectionResponse>(*answer);
    if (!decoded) co_return net::transport_error(decoded.error());
    co_return to_answer(*decoded);
}

}  // namespace nodeagent
