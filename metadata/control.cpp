#include "metadata/control.hpp"

#include "agent/base/json.hpp"
#include "agent/base/time_format.hpp"
#include "metadata/go_json.hpp"
#include "metadata/router.hpp"

namespace nodeagent::metadata {

namespace {

using Work = std::optional<asio::awaitable<void>>;

struct DrainWish {
    bool tasks_only = false;
    static constexpr auto json_fields() { return std::tuple{optional_field("tasksOnly", &DrainWish::tasks_only)}; }
};

Response failure(unsigned status, const std::string& why) {
    JsonWriter out;
    out.begin_object();
    out.member("error", why);
    out.end_object();
    return json_response(std::move(out).text(), status);
}

asio::awaitable<void> ask(const DrainControl& control, DrainCall call, Response& answer) {
    const Result<DrainReport> report = co_await control(call);
    answer = report ? drain_document(*report) : failure(503, report.error().what);
}

Response credentials_document(const credentials::AwsCredentials& keys) {
    JsonWriter out;
    out.begin_object();
    out.member("AccessKeyId", keys.access_key_id);
    out.member("SecretAccessKey", keys.secret_access_key.reveal());
    out.member("Token", keys.session_token.reveal());
    if (keys.expires_at) out.member("Expiration", rfc3339_seconds(*keys.expires_at));
    out.end_object();
    return json_response(std::move(out).text());
}

asio::awaitable<void> ask_credentials(const InstanceCredentials& source, Response& answer) {
    if (!source) {
        answer = failure(503, "this agent hands out no credentials");
        co_return;
    }
    const Result<credentials::AwsCredentials> keys = co_await source();
    answer = keys ? credentials_document(*keys) : failure(503, keys.error().what);
}

Response log_places(const LogPlaces& source, const std::string& id) {
    if (!source) return failure(503, "this agent does not tell where containers log to");
    const Result<TaskLogs> found = source(id);
    if (found) return task_logs_document(*found);
    const ErrorKind kind = found.error().kind;
    return failure(kind == ErrorKind::NotFound ? 404 : kind == ErrorKind::Conflict ? 409 : 503, found.error().what);
}

}  // namespace

Response drain_document(const DrainReport& report) {
    JsonWriter out;
    write_drain_report(out, report);
    return json_response(std::move(out).text());
}

struct ControlServer::Impl final : Handler {
    Impl(asio::any_io_executor shard, Clock& clock, Calls calls, ListenerOptions options)
        : drain(std::move(calls.drain)),
          credentials(std::move(calls.credentials)),
          logs(std::move(calls.logs)),
          listener(std::move(shard), clock, *this, "control", std::move(options)) {
        router.add("/v1/drain", "GET", [this](const Request&, Captures, Response& answer) -> Work {
            return ask(drain, DrainCall::Ask, answer);
        });
        router.add("/v1/drain", "POST", [this](const Request& request, Captures, Response& answer) -> Work {
            DrainWish wish;
            if (!request.body_whole) {
                answer = failure(400, "the request ended before its body did");
                return std::nullopt;
            }
            if (!request.body.empty()) {
                auto decoded = decode<DrainWish>(request.body);
                if (!decoded) {
                    answer = failure(400, decoded.error().what);
                    return std::nullopt;
                }
                wish = *decoded;
            }
            return ask(drain, wish.tasks_only ? DrainCall::BeginTasksOnly : DrainCall::Begin, answer);
        });
        router.add("/v1/undrain", "POST", [this](const Request&, Captures, Response& answer) -> Work {
            return ask(drain, DrainCall::End, answer);
        });
        router.add("/v1/instance-credentials", "GET", [this](const Request&, Captures, Response& answer) -> Work {
            return ask_credentials(credentials, answer);
        });
        router.add("/v1/logs", "GET", [this](const Request& request, Captures, Response& answer) -> Work {
            answer = log_places(logs, request.parameter("id"));
            return std::nullopt;
        });
    }

    Work handle(const Request& request, Response& answer) override { return router.route(request, answer); }

    DrainControl drain;
    InstanceCredentials credentials;
    LogPlaces logs;
    Router router;
    Listener listener;
};

ControlServer::ControlServer(asio::any_io_executor shard, Clock& clock, Calls calls, std::string socket_path) {
    ListenerOptions options;
    options.unix_path = std::move(socket_path);
    options.write_timeout = std::chrono::seconds(120);  // an answer may wait for ECS
    options.max_connections = 16;
    impl_ = std::make_unique<Impl>(std::move(shard), clock, std::move(calls), std::move(options));
}
ControlServer::~ControlServer() = default;

void ControlServer::start() { impl_->listener.start(); }
asio::awaitable<void> ControlServer::stop() { return impl_->listener.stop(); }

}  // namespace nodeagent::metadata
