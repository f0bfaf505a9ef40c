#include "agent/local/server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/local/api_router.hpp"
#include "agent/local/cloudwatch/service.hpp"
#include "agent/local/cluster_usage.hpp"
#include "agent/local/fixtures.hpp"
#include "agent/local/local_pages.hpp"
#include "agent/local/logs/operations.hpp"
#include "agent/local/signature_check.hpp"
#include "agent/local/websocket_channel.hpp"

namespace nodeagent::local {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;

constexpr std::chrono::seconds kIdle{120};
constexpr std::chrono::seconds kHandshake{30};
constexpr std::chrono::minutes kSweep{1};
constexpr std::uint64_t kMaxBody = 8U << 20U;
constexpr std::size_t kMaxFrame = 32U << 20U;  // telemetry requests end at 1 MiB; the rest is room for hostile tests

/// Whether the path is `channel`/ws, with or without the slash agents add to an endpoint that lacks one.
bool is_channel(std::string_view target, std::string_view channel) {
    return target.substr(0, target.find('?')) == std::string(channel) + "/ws";
}

HttpResponse json_response(const HttpRequest& request, unsigned status, std::string body,
                           const char* type = "application/json") {
    HttpResponse response{static_cast<http::status>(status), request.version()};
    response.set(http::field::content_type, type);
    response.set("x-amzn-RequestId", uuid4());
    response.keep_alive(request.keep_alive());
    response.body() = std::move(body);
    response.prepare_payload();
    return response;
}

}  // namespace

struct Server::Shared {
    Shared(asio::any_io_executor shard, State& records, Clock& time, ServerSettings given)
        : executor(shard),
          state(records),
          clock(time),
          settings(std::move(given)),
          issuer(settings.secret_access_key, settings.credentials_lifetime),
          fixtures(settings.fixtures, records.identity()),
          usage(records, metrics),
          acceptor(shard),
          scope(shard) {}

    [[nodiscard]] std::optional<SecretLookup> secrets() const {
        if (settings.secret_access_key.empty()) return std::nullopt;
        return [this](std::string_view key) -> std::optional<Secret> {
            if (settings.access_key_id.empty() || key == settings.access_key_id) {
                // role credentials of tasks carry secrets of their own, whatever key ids are allowed
                if (auto issued = issuer.secret_of(key)) return issued;
                return settings.secret_access_key;
            }
            return issuer.secret_of(key);
        };
    }

    [[nodiscard]] std::optional<ApiError> check(const HttpRequest& request, std::string_view service = "ecs") const {
        const auto lookup = secrets();
        if (!lookup) return std::nullopt;
        SignedMessage message{.method = std::string(request.method_string()),
                              .target = std::string(request.target()),
                              .headers = {},
                              .body = request.body()};
        for (const auto& field : request) message.headers.emplace_back(field.name_string(), field.value());
        return check_signature(message, *lookup, clock.now().wall, service);
    }

    [[nodiscard]] HttpResponse answer_api(const HttpRequest& request) {
        std::string host(request[http::field::host]);
        if (host.empty()) host = settings.address + ":" + std::to_string(port);
        Api api{.state = state,
                .channels = channels,
                .issuer = issuer,
                .now = epoch_seconds(clock.now().wall),
                .base = "http://" + host};
        const std::string_view target = request["X-Amz-Target"];
        const bool for_logs = is_logs_target(target);
        const std::string_view service = for_logs ? "logs" : Fixtures::service_of(target);
        auto refused = check(request, service.empty() ? "ecs" : service);
        const ApiResult result = refused           ? ApiResult(std::move(*refused))
                                 : for_logs        ? answer_logs_call(target, request.body())
                                 : service.empty() ? route(api, target, request.body())
                                                   : fixtures.answer(target, request.body(), clock.now().wall);
        if (result) return json_response(request, 200, dump_json(result->body), "application/x-amz-json-1.1");
        auto response =
            json_response(request, result.error().status, error_body(result.error()), "application/x-amz-json-1.1");
        response.set("x-amzn-ErrorType", result.error().code);
        return response;
    }

    [[nodiscard]] ApiResult answer_logs_call(std::string_view target, std::string_view body) {
        const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(clock.now().wall.time_since_epoch());
        LogsApi api{.store = logs, .identity = state.identity(), .now = now.count()};
        return answer_logs(api, target, body);
    }

    [[nodiscard]] CloudWatchAnswer run_cloudwatch(const HttpRequest& request, const CloudWatchRequest& call,
                                                  const std::string& id) {
        if (auto refused = check(request, "monitoring")) {
            refused->status = 403;
            return refuse_cloudwatch(call, *refused, id);
        }
        try {
            return answer_cloudwatch({.metrics = metrics, .now = clock.now().wall}, call, id);
        } catch (const std::exception& e) {
            // as in the ECS API: one request must not end the control plane
            log::error("a CloudWatch call failed unexpectedly", {{"error", e.what()}});
            return refuse_cloudwatch(
                call, {.code = "InternalServiceFault", .message = "Request processing has failed.", .status = 500}, id);
        }
    }

    [[nodiscard]] HttpResponse answer_cloudwatch_call(const HttpRequest& request, CloudWatchRequest call) {
        call.content_encoding = std::string(request[http::field::content_encoding]);
        call.body = request.body();
        const std::string id = uuid4();
        CloudWatchAnswer answer = run_cloudwatch(request, call, id);
        if (answer.error) {
            log::info(
                "CloudWatch call refused",
                {{"operation", answer.operation}, {"code", answer.error->code}, {"message", answer.error->message}});
        }
        HttpResponse response =
            json_response(request, answer.status, std::move(answer.body), answer.content_type.c_str());
        response.set("x-amzn-RequestId", id);
        for (const auto& [name, value] : answer.headers) response.set(name, value);
        return response;
    }

    [[nodiscard]] HttpResponse answer_s3(const HttpRequest& request) const {
        Fixtures::Object object;
        if (const auto refused = check(request, "s3")) {
            const bool unknown_key = refused->code == "UnrecognizedClientException";
            const bool mismatch = refused->code == "InvalidSignatureException";
            const std::string code = unknown_key ? "InvalidAccessKeyId"
                                     : mismatch  ? "SignatureDoesNotMatch"
                                                 : refused->code;
            object = Fixtures::s3_error(403, code, refused->message);
        } else {
            object = fixtures.s3(request.target());
        }
        const char* type = object.xml ? "application/xml" : "binary/octet-stream";
        HttpResponse response = json_response(request, object.status, std::move(object.body), type);
        response.set("x-amz-request-id", std::string(response["x-amzn-RequestId"]));
        return response;
    }

    [[nodiscard]] HttpResponse answer(const HttpRequest& request) {
        const std::string_view target = request.target();
        if (request.method() == http::verb::post) {
            auto call = cloudwatch_request(target, request["X-Amz-Target"], request[http::field::content_type]);
            return call ? answer_cloudwatch_call(request, std::move(*call)) : answer_api(request);
        }
        if (request.method() == http::verb::get) {
            const std::string_view authorization = request[http::field::authorization];
            if (authorization.find("/s3/aws4_request") != std::string_view::npos) return answer_s3(request);
            if (auto page = local_page(state, channels, telemetry, metrics, logs, target)) {
                return json_response(request, page->status, dump_json(page->body) + "\n");
            }
        }
        return json_response(request, 404, "{\"message\":\"not found; ecs-local --help lists what it serves\"}\n");
    }

    /// The exception an agent understands (control-plane.md 5.2), or nothing when the channel may open.
    [[nodiscard]] std::optional<HttpResponse> refuse_channel(const HttpRequest& request,
                                                             const std::string& instance_arn) {
        const auto refusal = [&](const std::string& type, const std::string& text) {
            log::info("a channel is refused", {{"type", type}, {"instance", instance_arn}, {"reason", text}});
            OrderedJson body;
            body["type"] = type;
            body["message"]["message"] = text;
            return json_response(request, 400, dump_json(body));
        };
        if (const auto wrong = check(request))
            return refusal("AccessDeniedException", wrong->code + ": " + wrong->message);
        const ContainerInstance* instance = state.instance(instance_arn);
        if (instance == nullptr)
            return refusal("InvalidInstanceException", "The container instance is not registered.");
        if (instance->status == "INACTIVE")
            return refusal("InactiveInstanceException", "The container instance is deregistered.");
        return std::nullopt;
    }

    asio::awaitable<void> respond(beast::tcp_stream& stream, HttpResponse response) {
        boost::system::error_code failed;
        co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, failed));
    }

    template <class Conversation>
    asio::awaitable<void> serve_channel(beast::tcp_stream stream, HttpRequest request, ChannelKind kind,
                                        std::string instance_arn, Conversation conversation) {
        WebsocketStream websocket(std::move(stream));
        beast::get_lowest_layer(websocket).expires_never();  // the websocket has timeouts of its own
        beast::websocket::stream_base::timeout timeouts{};
        timeouts.handshake_timeout = kHandshake;
        timeouts.idle_timeout = beast::websocket::stream_base::none();
        timeouts.keep_alive_pings = false;
        websocket.set_option(timeouts);
        websocket.read_message_max(kMaxFrame);
        boost::system::error_code failed;
        co_await websocket.async_accept(request, asio::redirect_error(asio::use_awaitable, failed));
        if (failed) co_return;
        auto channel =
            std::make_shared<WebsocketChannel<Conversation>>(std::move(websocket), clock, std::move(conversation));
        channels.add(kind, instance_arn, *channel);
        connection_changed(kind, instance_arn);
        co_await WebsocketChannel<Conversation>::run(channel, scope);
        channels.remove(kind, instance_arn, *channel);
        connection_changed(kind, instance_arn);
    }

    void connection_changed(ChannelKind kind, const std::string& instance_arn) {
        const bool connected = channels.connected(instance_arn);
        log::info(connected ? "channel open" : "channel closed",
                  {{"kind", kind == ChannelKind::Acs ? "ACS" : "TCS"}, {"instance", instance_arn}});
        if (kind != ChannelKind::Acs) return;
        ContainerInstance* instance = state.instance(instance_arn);
        if (instance == nullptr) return;
        instance->connected_since = epoch_seconds(clock.now().wall);
        ++instance->version;
        state.save(instance);
    }

    /// The agent's versions travel only in the query of its ACS handshake.
    void note_versions(const std::string& instance_arn, std::map<std::string, std::string>& query) {
        ContainerInstance* instance = state.instance(instance_arn);
        instance->version_info = {.agent_version = query["agentVersion"],
                                  .agent_hash = query["agentHash"],
                                  .docker_version = query["dockerVersion"]};
        state.save(instance);
    }

    asio::awaitable<void> serve_acs(beast::tcp_stream stream, HttpRequest request) {
        auto query = parse_query(std::string_view(request.target()));
        const std::string instance_arn = query["containerInstanceArn"];
        if (auto refused = refuse_channel(request, instance_arn)) {
            co_await respond(stream, std::move(*refused));
            co_return;
        }
        note_versions(instance_arn, query);
        AcsConversation::Hello hello;
        hello.instance_arn = instance_arn;
        hello.send_credentials = query["sendCredentials"] == "true";
        hello.protocol_version = static_cast<int>(parse_integer(query["protocolVersion"]).value_or(1));
        AcsConversation conversation(state, issuer, settings.acs, std::move(hello));
        co_await serve_channel(std::move(stream), std::move(request), ChannelKind::Acs, instance_arn,
                               std::move(conversation));
    }

    asio::awaitable<void> serve_tcs(beast::tcp_stream stream, HttpRequest request) {
        auto query = parse_query(std::string_view(request.target()));
        const std::string instance_arn = query["containerInstance"];
        if (auto refused = refuse_channel(request, instance_arn)) {
            co_await respond(stream, std::move(*refused));
            co_return;
        }
        TcsConversation::Hello hello;
        hello.instance_arn = instance_arn;
        hello.target = std::string(request.target());
        TcsConversation conversation(state, telemetry, usage, secrets(), settings.tcs_heartbeat, std::move(hello));
        co_await serve_channel(std::move(stream), std::move(request), ChannelKind::Tcs, instance_arn,
                               std::move(conversation));
    }

    asio::awaitable<void> serve(tcp::socket socket) {
        beast::tcp_stream stream(std::move(socket));
        beast::flat_buffer buffer;
        boost::system::error_code failed;
        while (true) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(kMaxBody);
            stream.expires_after(kIdle);
            co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
            if (failed) break;
            HttpRequest request = parser.release();
            if (beast::websocket::is_upgrade(request)) {
                const std::string target(request.target());
                if (is_channel(target, "/acs")) {
                    co_await serve_acs(std::move(stream), std::move(request));
                    co_return;
                }
                if (is_channel(target, "/tcs")) {
                    co_await serve_tcs(std::move(stream), std::move(request));
                    co_return;
                }
            }
            HttpResponse response = answer(request);
            co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, failed));
            if (failed || !response.keep_alive()) break;
        }
        stream.socket().shutdown(tcp::socket::shutdown_both, failed);
    }

    asio::awaitable<void> accept() {
        while (acceptor.is_open()) {
            tcp::socket socket(executor);
            boost::system::error_code failed;
            co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, failed));
            const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
            if (cancelled != asio::cancellation_type::none || !acceptor.is_open()) co_return;
            if (failed) {
                // out of descriptors, mostly: give connections time to end
                log::warn("a connection cannot be accepted", {{"error", failed.message()}});
                asio::steady_timer pause(executor, std::chrono::milliseconds(100));
                co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
                continue;
            }
            socket.set_option(tcp::no_delay(true), failed);
            scope.spawn(serve(std::move(socket)));
        }
    }

    asio::awaitable<void> sweep() {
        while (true) {
            const WallTime now = clock.now().wall;
            state.forget_before(epoch_seconds(now - settings.keep_stopped));
            telemetry.forget_others(state);
            metrics.forget_old(std::chrono::floor<std::chrono::minutes>(now));
            co_await clock.sleep_for(kSweep);
        }
    }

    asio::any_io_executor executor;
    State& state;
    Clock& clock;
    ServerSettings settings;
    CredentialIssuer issuer;
    Fixtures fixtures;
    Channels channels;
    Telemetry telemetry;
    MetricStore metrics;
    LogStore logs;
    ClusterUsage usage;
    tcp::acceptor acceptor;
    unsigned short port = 0;
    Scope scope;  // last: its coroutines use all of the above
};

Server::Server(asio::any_io_executor executor, State& state, Clock& clock, ServerSettings settings)
    : shared_(std::make_unique<Shared>(std::move(executor), state, clock, std::move(settings))) {}
Server::~Server() = default;

unsigned short Server::port() const { return shared_->port; }

Result<void> Server::start() {
    Shared& s = *shared_;
    const std::string where = "listen on " + s.settings.address + ":" + std::to_string(s.settings.port);
    boost::system::error_code failed;
    const auto address = asio::ip::make_address(s.settings.address, failed);
    if (failed) return from_error_code(where, failed);
    const tcp::endpoint endpoint(address, s.settings.port);
    s.acceptor.open(endpoint.protocol(), failed);
    if (!failed) s.acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed) s.acceptor.bind(endpoint, failed);
    if (!failed) s.acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return from_error_code(where, failed);
    s.port = s.acceptor.local_endpoint(failed).port();
    s.scope.spawn(s.accept());
    s.scope.spawn(s.sweep());
    return {};
}

asio::awaitable<void> Server::stop() {
    boost::system::error_code ignored;
    shared_->acceptor.close(ignored);
    shared_->scope.cancel();
    co_await shared_->scope.drain();
}

}  // namespace nodeagent::local
