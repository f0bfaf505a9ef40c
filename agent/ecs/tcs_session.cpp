#include "agent/ecs/tcs_session.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/log.hpp"
#include "agent/base/retries.hpp"
#include "agent/base/strings.hpp"
#include "agent/ecs/signed_socket.hpp"
#include "agent/ecs/telemetry_requests.hpp"
#include "agent/net/sigv4.hpp"

namespace nodeagent::ecs {

using namespace std::chrono_literals;

namespace {

constexpr BackoffPolicy kReconnect{.min = 1s, .max = 1min, .jitter = 0.2, .multiplier = 2.0};
constexpr auto kPublishInterval = 20s;
constexpr std::uint64_t kServiceConnectEvery = 3;  // ticks
constexpr std::size_t kQueueLength = 15;           // snapshots: five minutes of history while disconnected
constexpr auto kHeartbeatWindow = 1min;            // up to as much again is added
constexpr auto kMaxAge = 30min;
constexpr auto kMaxAgeSpread = 5min;

}  // namespace

struct TcsSession::Live {
    std::unique_ptr<net::WsConnection> socket;
    std::string url;
    SteadyTime heartbeat_due{};
};

TcsSession::TcsSession(asio::any_io_executor shard, Options options, Clock& clock, net::WsDialer& dialer,
                       credentials::Provider& credentials, DiscoverEndpoint discover)
    : options_(std::move(options)),
      clock_(clock),
      dialer_(dialer),
      credentials_(credentials),
      discover_(std::move(discover)),
      backoff_(kReconnect),
      queued_(shard, asio::steady_timer::time_point::max()),
      producer_(shard),
      timers_(shard) {
    status_.since = clock.now().wall;
}

TcsSession::~TcsSession() = default;

asio::awaitable<void> TcsSession::run() {
    struct StopProducer {
        Scope& producer;
        ~StopProducer() { producer.cancel(); }
    } stop{producer_};
    producer_.spawn(produce());
    for (;;) {
        Ending ending = co_await connect_and_serve();
        const bool stopping = co_await Scope::stopping();
        if (stopping) co_return;
        if (!ending) {
            log::info("tcs connection ended, reconnecting");
            backoff_.reset();
            continue;
        }
        const std::chrono::nanoseconds delay = backoff_.next();
        status_.last_error = truncated(ending->what, kLastErrorBytes);
        count_retry(Retried::TcsSession, ending->kind);
        log::warn("tcs disconnected", {{"reason", status_.last_error}, {"retryInMs", delay / 1ms}});
        co_await clock_.sleep_for(delay);
    }
}

void TcsSession::disconnect(std::string why) {
    if (const auto live = live_.lock(); live && live->socket) live->socket->drop(std::move(why));
}

asio::awaitable<void> TcsSession::produce() {
    SteadyTime next = clock_.now().steady;
    for (std::uint64_t number = 0;; ++number) {
        take_tick(number);
        next += kPublishInterval;
        co_await clock_.sleep_until(next);
    }
}

void TcsSession::take_tick(std::uint64_t number) {
    Tick tick{uuid4(), std::nullopt};
    if (options_.source != nullptr && !options_.metrics_disabled) {
        tick.metrics = options_.source->take(number > 0 && number % kServiceConnectEvery == 0);
    }
    if (!tick.metrics || !tick.metrics->empty()) {
        if (metrics_.size() < kQueueLength) {
            metrics_.push_back(std::move(tick));
        } else {
            log::warn("telemetry dropped, the queue is full", {{"queued", metrics_.size()}});
        }
    }
    if (options_.board != nullptr && !options_.health_disabled) {
        auto health = container_health(*options_.board->current(), clock_.now().wall);
        if (!health.empty() && health_.size() < kQueueLength) health_.push_back(std::move(health));
    }
    queued_.cancel();
}

asio::awaitable<TcsSession::Ending> TcsSession::connect_and_serve() {
    struct Leave {
        TcsSession& session;
        std::shared_ptr<Live> live = std::make_shared<Live>();
        ~Leave() {
            session.timers_.cancel();
            if (live->socket) live->socket->drop("the connection is over");
            session.set_connected(false);
        }
    } leave{*this};

    ++status_.attempts;
    auto to_url = [this](std::string endpoint) { return tcs_url(std::move(endpoint), options_.identity); };
    auto opened =
        co_await open_signed(discover_, std::move(to_url), credentials_, dialer_, clock_, options_.identity.region);
    if (!opened) co_return std::move(opened).error();
    leave.live->socket = std::move(opened->socket);
    leave.live->url = std::move(opened->url);
    live_ = leave.live;
    ++status_.connects;
    set_connected(true);
    log::info("tcs connected", {{"endpoint", opened->endpoint}, {"connects", status_.connects}});
    co_return co_await serve(leave.live);
}

asio::awaitable<TcsSession::Ending> TcsSession::serve(std::shared_ptr<Live> live) {
    live->heartbeat_due = clock_.now().steady + jittered(kHeartbeatWindow, kHeartbeatWindow);
    timers_.spawn(watch_heartbeat(live));
    timers_.spawn(watch_age(live));
    timers_.spawn(publish(live));
    if (options_.doctor != nullptr) timers_.spawn(publish_instance_status(live));
    for (;;) {
        net::WsEvent event = co_await live->socket->read();
        if (const auto* closed = std::get_if<net::WsClosed>(&event)) co_return closing_fault(*closed);
        if (auto* failure = std::get_if<Error>(&event)) co_return std::move(*failure);
        auto message = model::decode_tcs_frame(std::get<net::WsMessage>(event).payload);
        if (!message) {
            const Error why = std::move(message).error();
            log::warn("tcs frame ignored", {{"reason", why.what}});
            continue;
        }
        switch (message->kind) {
            case model::TcsInboundKind::Heartbeat:
            case model::TcsInboundKind::Ack:
                live->heartbeat_due = clock_.now().steady + jittered(kHeartbeatWindow, kHeartbeatWindow);
                break;
            case model::TcsInboundKind::StopSession:
            case model::TcsInboundKind::Notice:
                log::warn("tcs says", {{"type", message->type}, {"message", message->message}});
                break;
        }
    }
}

asio::awaitable<void> TcsSession::publish(std::shared_ptr<Live> live) {
    const TelemetryAddress address{options_.identity.cluster, options_.identity.container_instance_arn};
    for (;;) {
        while (metrics_.empty() && health_.empty()) {
            boost::system::error_code woken;
            auto token = asio::redirect_error(asio::use_awaitable, woken);
            co_await queued_.async_wait(token);
        }
        if (!metrics_.empty()) {
            Tick tick = std::move(metrics_.front());
            metrics_.pop_front();
            const auto requests =
                metrics_requests(std::move(tick.metrics), address, tick.message_id, clock_.now().wall);
            for (const model::PublishMetricsRequest& request : requests) {
                std::string envelope = model::encode_tcs_envelope(request);
                co_await send(live, std::move(envelope));
            }
        }
        if (!health_.empty()) {
            auto tasks = std::move(health_.front());
            health_.pop_front();
            const auto requests = health_requests(std::move(tasks), address, uuid4(), clock_.now().wall);
            for (const model::PublishHealthRequest& request : requests) {
                std::string envelope = model::encode_tcs_envelope(request);
                co_await send(live, std::move(envelope));
            }
        }
    }
}

asio::awaitable<void> TcsSession::publish_instance_status(std::shared_ptr<Live> live) {
    SteadyTime next = clock_.now().steady;
    for (;;) {
        next += kPublishInterval;
        co_await clock_.sleep_until(next);
        if (!options_.doctor->report_due()) continue;
        model::PublishInstanceStatusRequest request;
        request.metadata.cluster = options_.identity.cluster;
        request.metadata.container_instance = options_.identity.container_instance_arn;
        request.metadata.request_id = uuid4();
        request.statuses = options_.doctor->statuses();
        request.timestamp = model::tcs_timestamp(clock_.now().wall);
        std::string envelope = model::encode_tcs_envelope(request);
        if (co_await send(live, std::move(envelope))) options_.doctor->mark_reported();
    }
}

asio::awaitable<bool> TcsSession::send(std::shared_ptr<Live> live, std::string envelope) {
    auto identity = co_await credentials_.get();
    if (!identity) {
        const Error why = std::move(identity).error();
        log::warn("telemetry lost: not signed", {{"reason", why.what}});
        co_return false;
    }
    net::SigningRequest request;
    request.url = live->url;
    request.payload_hash = net::sha256_hex(envelope);
    net::SigningContext context;
    context.region = options_.identity.region;
    context.service = "ecs";
    context.time = clock_.now().wall;
    net::Headers headers = net::sign_headers(request, *identity, context);
    headers.emplace_back("Host", net::host_header(live->url));
    std::sort(headers.begin(), headers.end());

    std::string frame;
    for (const auto& [name, value] : headers) frame += name + ": " + value + "\r\n";
    frame += "\r\n";
    frame += envelope;
    auto sent = co_await live->socket->write(std::move(frame));
    if (!sent) {
        const Error why = std::move(sent).error();
        log::warn("telemetry lost", {{"reason", why.what}});
    }
    co_return sent.has_value();
}

asio::awaitable<void> TcsSession::watch_heartbeat(std::shared_ptr<Live> live) {
    while (clock_.now().steady < live->heartbeat_due) co_await clock_.sleep_until(live->heartbeat_due);
    co_await live->socket->close(kConnectionExpiredCode, std::string(kConnectionExpired));
}

asio::awaitable<void> TcsSession::watch_age(std::shared_ptr<Live> live) {
    co_await clock_.sleep_for(jittered(kMaxAge, kMaxAgeSpread));
    co_await live->socket->close(kConnectionExpiredCode, std::string(kConnectionExpired));
}

void TcsSession::set_connected(bool connected) {
    if (status_.connected == connected) return;
    status_.connected = connected;
    status_.since = clock_.now().wall;
}

}  // namespace nodeagent::ecs
