#include "agent/ecs/acs_session.hpp"

#include <array>
#include <utility>
#include <variant>

#include "agent/base/log.hpp"
#include "agent/base/retries.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/test_point.hpp"
#include "agent/ecs/signed_socket.hpp"

namespace nodeagent::ecs {

using namespace std::chrono_literals;

namespace {

constexpr BackoffPolicy kReconnect{.min = 250ms, .max = 2min, .jitter = 0.2, .multiplier = 1.5};
constexpr auto kInactiveInstanceWait = 1h;
constexpr auto kHeartbeatWindow = 1min;  // the timers of a connection add up to as much again
constexpr auto kMaxAge = 30min;
constexpr auto kMaxAgeSpread = 5min;
constexpr std::string_view kInactiveInstance = "InactiveInstanceException";

}  // namespace

struct AcsSession::Live {
    std::unique_ptr<net::WsConnection> socket;
    SteadyTime inactive_at{};
};

AcsSession::AcsSession(asio::any_io_executor shard, Options options, Clock& clock, net::WsDialer& dialer,
                       credentials::Provider& credentials, DiscoverEndpoint discover, AcsConversation& conversation)
    : options_(std::move(options)),
      clock_(clock),
      dialer_(dialer),
      credentials_(credentials),
      discover_(std::move(discover)),
      conversation_(conversation),
      backoff_(kReconnect),
      timers_(shard),
      expiry_(shard) {
    status_.since = clock.now().wall;
}

AcsSession::~AcsSession() = default;

asio::awaitable<void> AcsSession::run() {
    arm_expiry();  // of attachments restored from disk
    for (;;) {
        Ending ending = co_await connect_and_serve();
        const bool stopping = co_await Scope::stopping();
        if (stopping) co_return;
        if (!ending) {
            log::info("acs connection ended, reconnecting");
            backoff_.reset();
            continue;
        }
        std::chrono::nanoseconds delay;
        if (ending->what.find(kInactiveInstance) != std::string::npos) {
            if (options_.instance_inactive) options_.instance_inactive();
            delay = kInactiveInstanceWait;
        } else {
            delay = backoff_.next();
        }
        note_failure(*ending);
        count_retry(Retried::AcsSession, ending->kind);
        log::warn("acs disconnected", {{"reason", status_.last_error}, {"retryInMs", delay / 1ms}});
        co_await clock_.sleep_for(delay);
    }
}

asio::awaitable<AcsSession::Ending> AcsSession::connect_and_serve() {
    // also when cancelled: the timers hold the connection
    struct Leave {
        AcsSession& session;
        std::shared_ptr<Live> live = std::make_shared<Live>();
        ~Leave() {
            session.timers_.cancel();
            if (live->socket) live->socket->drop("the connection is over");
            session.set_connected(false);
        }
    } leave{*this};

    ++status_.attempts;
    const bool send_credentials = !ever_connected_;
    auto to_url = [this, send_credentials](std::string endpoint) {
        return acs_url(std::move(endpoint), options_.identity, send_credentials);
    };
    auto opened =
        co_await open_signed(discover_, std::move(to_url), credentials_, dialer_, clock_, options_.identity.region);
    if (!opened) co_return std::move(opened).error();
    leave.live->socket = std::move(opened->socket);
    ever_connected_ = true;
    ++status_.connects;
    set_connected(true);
    log::info("acs connected", {{"endpoint", opened->endpoint}, {"connects", status_.connects}});
    co_return co_await serve(leave.live);
}

asio::awaitable<AcsSession::Ending> AcsSession::serve(std::shared_ptr<Live> live) {
    live->inactive_at = clock_.now().steady + jittered(kHeartbeatWindow, kHeartbeatWindow);
    timers_.spawn(watch_inactivity(live));
    timers_.spawn(watch_age(live));
    timers_.spawn(watch_backoff());
    for (;;) {
        net::WsEvent event = co_await live->socket->read();
        if (auto* message = std::get_if<net::WsMessage>(&event)) {
            if (message->binary) log::debug("acs sent a binary frame");
            co_await handle_frame(live, std::move(message->payload));
            continue;
        }
        if (auto* closed = std::get_if<net::WsClosed>(&event)) co_return closing_fault(*closed);
        co_return std::move(std::get<Error>(event));
    }
}

asio::awaitable<void> AcsSession::handle_frame(std::shared_ptr<Live> live, std::string payload) {
    auto message = model::decode_acs_frame(payload);
    if (!message) {
        const Error why = std::move(message).error();
        log::warn("acs frame ignored", {{"reason", why.what}, {"bytes", payload.size()}});
        co_return;
    }
    payload = {};
    live->inactive_at = clock_.now().steady + jittered(kHeartbeatWindow, kHeartbeatWindow);
    log::debug("acs message", {{"type", model::type_of(*message)}});
    const std::vector<model::AcsReply> replies = co_await conversation_.handle(std::move(*message));
    arm_expiry();
    for (const model::AcsReply& reply : replies) {
        std::string frame = model::encode_acs_frame(reply);
        auto sent = co_await live->socket->write(std::move(frame));
        if (!sent) {
            const Error why = std::move(sent).error();
            log::warn("acs reply not sent, the service will ask again", {{"reason", why.what}});
        } else if (std::holds_alternative<model::AckRequest>(reply)) {
            NODEAGENT_POINT("payload.acked");
        }
    }
}

// The deadline only moves on; sleeping until an older one keeps the silence allowed within [1, 2) minutes.
asio::awaitable<void> AcsSession::watch_inactivity(std::shared_ptr<Live> live) {
    while (clock_.now().steady < live->inactive_at) co_await clock_.sleep_until(live->inactive_at);
    live->socket->drop("no message from acs within the heartbeat window");
}

asio::awaitable<void> AcsSession::watch_age(std::shared_ptr<Live> live) {
    co_await clock_.sleep_for(jittered(kMaxAge, kMaxAgeSpread));
    co_await live->socket->close(kConnectionExpiredCode, std::string(kConnectionExpired));
}

asio::awaitable<void> AcsSession::watch_backoff() {
    co_await clock_.sleep_for(jittered(kHeartbeatWindow, kHeartbeatWindow));
    backoff_.reset();
}

void AcsSession::arm_expiry() {
    const auto next = conversation_.attachments().next_expiry();
    if (next == expiry_armed_ || expiring_) return;
    expiry_armed_ = next;
    expiry_.cancel();
    if (next) expiry_.spawn(expire_at(*next));
}

asio::awaitable<void> AcsSession::expire_at(SteadyTime when) {
    co_await clock_.sleep_until(when);
    expiring_ = true;  // not to be cancelled by an arm_expiry() of a new attachment
    co_await conversation_.expire_attachments();
    expiring_ = false;
    expiry_armed_.reset();
    arm_expiry();
}

void AcsSession::set_connected(bool connected) {
    if (status_.connected == connected) return;
    status_.connected = connected;
    status_.since = clock_.now().wall;
    if (options_.changed) options_.changed(status_);
}

void AcsSession::note_failure(const Error& error) {
    status_.last_error = truncated(error.what, kLastErrorBytes);
    if (options_.changed) options_.changed(status_);
}

}  // namespace nodeagent::ecs
