#include "metadata/listener.hpp"

#include <algorithm>
#include <cstring>
#include <list>
#include <map>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/backoff.hpp"
#include "agent/base/error.hpp"
#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "metadata/connection.hpp"
#include "metadata/unix_socket.hpp"

namespace nodeagent::metadata {

namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAcceptPause = std::chrono::milliseconds(100);

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

Result<Acceptor> bound_to(const asio::any_io_executor& executor, const std::string& address, std::uint16_t port) {
    error_code failure;
    const auto fail = [&] {
        Error error = from_error_code("listen on " + address + " port " + std::to_string(port), failure);
        if (failure == asio::error::address_in_use) {
            error.what +=
                "; does another agent run on this machine? systemctl status ecs, docker ps --filter name=ecs-agent";
        }
        return error;
    };
    const asio::ip::address parsed = asio::ip::make_address(address, failure);
    if (failure) return fail();
    const tcp::endpoint endpoint(parsed, port);
    tcp::acceptor acceptor(executor);
    acceptor.open(endpoint.protocol(), failure);
    if (!failure) acceptor.set_option(asio::socket_base::reuse_address(true), failure);
    if (!failure && parsed.is_v6()) acceptor.set_option(asio::ip::v6_only(false), failure);
    if (!failure) acceptor.bind(endpoint, failure);
    if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
    if (!failure) acceptor.non_blocking(true, failure);
    if (failure) return fail();
    return Result<Acceptor>(std::move(acceptor));
}

std::uint16_t port_of(const asio::generic::stream_protocol::endpoint& local) {
    tcp::endpoint endpoint;
    if (local.size() > endpoint.capacity()) return 0;
    std::memcpy(endpoint.data(), local.data(), local.size());
    return endpoint.port();
}

}  // namespace

struct Listener::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor executor, Clock& clock, Handler& handler, std::string listener_name,
          ListenerOptions options)
        : shard(executor),
          name(std::move(listener_name)),
          shared(clock, handler, std::move(options)),
          acceptor(executor),
          scope(executor) {}

    [[nodiscard]] Result<Acceptor> bind() const;
    void make_room();
    void close_all();
    static asio::awaitable<void> listen(std::shared_ptr<State> self);
    static asio::awaitable<void> attend(std::shared_ptr<State> self, std::list<Connection>::iterator connection);
    static asio::awaitable<void> watch_deadlines(std::shared_ptr<State> self);
    void add(Connection::Socket accepted);

    asio::any_io_executor shard;
    std::string name;
    Shared shared;
    Acceptor acceptor;
    std::list<Connection> connections;
    std::uint16_t port = 0;
    bool stopping = false;
    bool watching = false;
    Scope scope;
};

Result<Acceptor> Listener::State::bind() const {
    if (!shared.options.unix_path.empty()) return bound_to_unix(shard, shared.options.unix_path);
    Result<Acceptor> outcome = Error{.kind = ErrorKind::Internal, .what = "listen: no address given"};
    for (const std::string& address : shared.options.addresses) {
        outcome = bound_to(shard, address, shared.options.port);
        if (outcome) break;
    }
    return outcome;
}

// The source with most connections loses the one that has been silent longest: whoever hoards them pays.
void Listener::State::make_room() {
    std::map<std::string_view, std::size_t> count;
    for (const Connection& connection : connections) {
        if (connection.socket.is_open()) ++count[connection.peer.ip];
    }
    Connection* victim = nullptr;
    for (Connection& connection : connections) {
        if (!connection.socket.is_open()) continue;
        const auto rank = [&](const Connection& c) {
            return std::pair(count[c.peer.ip], -c.active_at.time_since_epoch());
        };
        if (victim == nullptr || rank(connection) > rank(*victim)) victim = &connection;
    }
    if (victim == nullptr) return;
    error_code ignored;
    victim->socket.close(ignored);
}

void Listener::State::close_all() {
    error_code ignored;
    if (acceptor.is_open() && !shared.options.unix_path.empty()) remove_unix_socket(shared.options.unix_path);
    acceptor.close(ignored);
    for (Connection& connection : connections) connection.socket.close(ignored);
}

void Listener::State::add(Connection::Socket accepted) {
    error_code failure;
    const auto remote = accepted.remote_endpoint(failure);
    if (failure) return;  // gone already
    if (shared.options.unix_path.empty()) {
        accepted.set_option(tcp::no_delay(true), failure);
    } else if (!peer_may_control(accepted.native_handle())) {
        log::warn("a connection of another user was closed", {{"server", name}});
        return;
    }
    accepted.non_blocking(true, failure);
    if (connections.size() >= shared.options.max_connections) make_room();
    const auto connection = connections.emplace(connections.end(), std::move(accepted));
    connection->peer = peer_of(remote);
    connection->active_at = shared.clock.now().steady;
    connection->deadline = connection->active_at + shared.options.read_timeout;
    scope.spawn(attend(shared_from_this(), connection));
    if (!watching) {
        watching = true;
        scope.spawn(watch_deadlines(shared_from_this()));
    }
}

asio::awaitable<void> Listener::State::attend(std::shared_ptr<State> self, std::list<Connection>::iterator connection) {
    struct Leave {
        State& state;
        std::list<Connection>::iterator connection;
        ~Leave() { state.connections.erase(connection); }
    };
    const Leave leave{*self, connection};
    co_await serve(*connection, self->shared);
}

// Runs while there are connections. Sleeps until the earliest deadline it knows; one that is set meanwhile and is
// earlier (a lingering connection's) is noticed half a second late at most.
asio::awaitable<void> Listener::State::watch_deadlines(std::shared_ptr<State> self) {
    const auto longest = std::chrono::duration_cast<SteadyTime::duration>(std::chrono::milliseconds(500));
    while (!self->connections.empty()) {
        const SteadyTime now = self->shared.clock.now().steady;
        SteadyTime wake = now + longest;
        for (Connection& connection : self->connections) {
            if (connection.deadline <= now) {
                error_code ignored;
                connection.socket.close(ignored);
            } else {
                wake = std::min(wake, connection.deadline);
            }
        }
        co_await self->shared.clock.sleep_until(wake);
    }
    self->watching = false;
}

asio::awaitable<void> Listener::State::listen(std::shared_ptr<State> self) {
    Backoff backoff(
        {.min = std::chrono::seconds(1), .max = std::chrono::seconds(60), .jitter = 0.2, .multiplier = 2.0});
    for (;;) {
        Result<Acceptor> bound = self->bind();
        if (bound) {
            self->acceptor = std::move(*bound);
            break;
        }
        const std::chrono::nanoseconds pause = backoff.next();
        log::error("cannot listen, trying again", {{"server", self->name},
                                                   {"error", bound.error().what},
                                                   {"seconds", static_cast<double>(pause.count()) / 1e9}});
        co_await self->shared.clock.sleep_for(pause);
    }
    error_code failure;
    if (self->shared.options.unix_path.empty()) {
        self->port = port_of(self->acceptor.local_endpoint(failure));
        log::info("listening", {{"server", self->name}, {"port", self->port}});
    } else {
        log::info("listening", {{"server", self->name}, {"path", self->shared.options.unix_path}});
    }
    bool complained = false;
    while (!self->stopping) {
        Connection::Socket accepted(self->shard);
        co_await self->acceptor.async_accept(accepted, asio::redirect_error(asio::use_awaitable, failure));
        if (!failure) {
            complained = false;
            self->add(std::move(accepted));
            continue;
        }
        if (self->stopping || failure == asio::error::operation_aborted) co_return;
        if (failure == asio::error::connection_aborted) continue;
        // out of descriptors or memory: connections that end will free some
        if (!complained)
            log::error("cannot accept a connection", {{"server", self->name}, {"error", failure.message()}});
        complained = true;
        co_await self->shared.clock.sleep_for(kAcceptPause);
    }
}

Listener::Listener(asio::any_io_executor shard, Clock& clock, Handler& handler, std::string name,
                   ListenerOptions options)
    : state_(std::make_shared<State>(std::move(shard), clock, handler, std::move(name), std::move(options))) {}

Listener::~Listener() { state_->close_all(); }

void Listener::start() { state_->scope.spawn(State::listen(state_)); }

asio::awaitable<void> Listener::stop() {
    const std::shared_ptr<State> state = state_;
    state->stopping = true;
    state->close_all();
    state->scope.cancel();
    co_await state->scope.drain();
    state->port = 0;
}

std::uint16_t Listener::port() const { return state_->port; }
std::size_t Listener::connections() const { return state_->connections.size(); }

}  // namespace nodeagent::metadata
