#include "runtime/docker/api_client.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>

#include "runtime/docker/connection.hpp"

namespace nodeagent::runtime::docker {

namespace beast = boost::beast;
using TimePoint = Connection::TimePoint;

namespace {

/// A burst of launches runs more calls at once; what is left idle after it would only cost memory here and in the
/// daemon.
constexpr std::size_t kIdleLimit = 16;
constexpr std::uint64_t kBodyLimit = 64ULL << 20U;
constexpr std::size_t kRefusalLimit = 64 * 1024;
constexpr std::size_t kLineLimit = 1U << 20U;

TimePoint after(std::chrono::nanoseconds timeout) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (timeout >= TimePoint::max() - now) return TimePoint::max();
    return now + std::chrono::duration_cast<TimePoint::duration>(timeout);
}

Connection::Request to_http(ApiRequest request) {
    Connection::Request out;
    out.method_string(request.method);
    out.target(request.target);
    out.version(11);
    out.set(http::field::host, "docker");
    out.set(http::field::user_agent, "ecs-node-agent/" NODEAGENT_VERSION);
    for (const auto& [name, value] : request.headers) out.set(name, value);
    if (!request.body.empty()) out.set(http::field::content_type, request.content_type);
    if (request.method != "GET") out.content_length(request.body.size());
    out.body() = std::move(request.body);
    return out;
}

Error broken(const error_code& failed) {
    if (failed == beast::error::timeout) {
        return Error{.kind = ErrorKind::Timeout, .what = "no answer from the Docker daemon in time", .cause = failed};
    }
    if (failed == http::error::body_limit) {
        return Error{
            .kind = ErrorKind::Malformed, .what = "the answer of the Docker daemon is too long", .cause = failed};
    }
    return Error{.kind = ErrorKind::Unavailable,
                 .what = "the connection to the Docker daemon broke: " + failed.message(),
                 .cause = failed};
}

/// Cuts a byte stream into lines; a last line without an end counts when the stream is over.
class Lines {
  public:
    explicit Lines(const std::function<void(std::string_view)>& sink) : sink_(sink) {}
    void feed(std::string_view bytes) {
        for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
            if (pending_.empty()) {
                emit(bytes.substr(0, end));
            } else {
                pending_.append(bytes.substr(0, end));
                finish();
            }
            bytes.remove_prefix(end + 1);
        }
        if (pending_.size() + bytes.size() <= kLineLimit) pending_.append(bytes);
    }
    void finish() {
        emit(pending_);
        pending_.clear();
    }

  private:
    void emit(std::string_view line) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!line.empty()) sink_(line);
    }
    const std::function<void(std::string_view)>& sink_;
    std::string pending_;
};

}  // namespace

ApiClient::ApiClient(asio::any_io_executor executor, Endpoint endpoint, std::unique_ptr<asio::ssl::context> tls)
    : executor_(std::move(executor)), endpoint_(std::move(endpoint)), tls_(std::move(tls)) {}

ApiClient::~ApiClient() = default;

Error ApiClient::connect_error(const error_code& cause) const {
    if (cause == beast::error::timeout) {
        return Error{.kind = ErrorKind::Timeout,
                     .what = "connecting to the Docker daemon at " + endpoint_.address + " took too long",
                     .cause = cause};
    }
    if (cause == boost::system::errc::permission_denied) {
        return Error{.kind = ErrorKind::Unavailable,
                     .what = "permission denied while trying to connect to the Docker daemon at " + endpoint_.address +
                             ": run as root or as a member of the group docker",
                     .cause = cause};
    }
    std::string what =
        "Cannot connect to the Docker daemon at " + endpoint_.address + ". Is the docker daemon running?";
    if (!endpoint_.host.empty()) what += " (" + cause.message() + ")";
    return Error{.kind = ErrorKind::Unavailable, .what = std::move(what), .cause = cause};
}

asio::awaitable<Result<std::unique_ptr<Connection>>> ApiClient::fresh(TimePoint until) {
    auto connection = make_connection(executor_, endpoint_, tls_.get());
    connection->expires_at(until);
    const error_code failed = co_await connection->connect();
    if (failed) co_return connect_error(failed);
    co_return connection;
}

void ApiClient::keep(std::unique_ptr<Connection> connection) {
    if (idle_.size() >= kIdleLimit) return;
    connection->expires_at(TimePoint::max());
    idle_.push_back(std::move(connection));
}

asio::awaitable<Result<ApiResponse>> ApiClient::call(ApiRequest request) {
    const TimePoint until = after(request.timeout);
    const Connection::Request message = to_http(std::move(request));
    for (;;) {
        std::unique_ptr<Connection> connection;
        const bool kept = !idle_.empty();
        if (kept) {
            connection = std::move(idle_.back());
            idle_.pop_back();
            connection->expires_at(until);
        } else {
            Result<std::unique_ptr<Connection>> made = co_await fresh(until);
            if (!made) co_return std::move(made).error();
            connection = std::move(*made);
        }

        http::response_parser<http::string_body> parser;
        parser.body_limit(kBodyLimit);
        error_code failed = co_await connection->write(message);
        if (!failed) failed = co_await connection->read_header(parser);
        if (failed) {
            const bool stale = kept && failed != beast::error::timeout && failed != asio::error::operation_aborted &&
                               !parser.got_some();
            if (!stale) co_return broken(failed);
            idle_.clear();  // the others are as old: the daemon was restarted
            continue;
        }
        if (!parser.is_done()) failed = co_await connection->read(parser);
        if (failed) co_return broken(failed);

        ApiResponse response;
        response.status = static_cast<int>(parser.get().result_int());
        response.body = std::move(parser.get().body());
        if (parser.get().keep_alive()) keep(std::move(connection));
        co_return response;
    }
}

asio::awaitable<StreamEnd> ApiClient::stream(ApiRequest request, StreamTimeouts timeouts, std::function<void()> opened,
                                             std::function<void(std::string_view)> line) {
    using Expired = StreamEnd::Expired;
    const TimePoint total = timeouts.total ? after(*timeouts.total) : TimePoint::max();
    TimePoint until = std::min(total, timeouts.begin ? after(*timeouts.begin) : TimePoint::max());
    Expired limit = until == total ? Expired::Total : Expired::Begin;

    StreamEnd end;
    const auto fail = [&end, &limit](Error error) {
        if (error.kind == ErrorKind::Timeout) end.expired = limit;
        end.error = std::move(error);
    };

    const Connection::Request message = to_http(std::move(request));
    Result<std::unique_ptr<Connection>> made = co_await fresh(until);
    if (!made) {
        fail(std::move(made).error());
        co_return end;
    }
    Connection& connection = **made;

    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    error_code failed = co_await connection.write(message);
    if (!failed) failed = co_await connection.read_header(parser);
    if (failed) {
        fail(broken(failed));
        co_return end;
    }
    const int status = static_cast<int>(parser.get().result_int());
    std::string refusal;
    if (status == 200 && opened) opened();

    Lines lines(line);
    std::array<char, 8192> buffer;
    while (!parser.is_done()) {
        parser.get().body().data = buffer.data();
        parser.get().body().size = buffer.size();
        failed = co_await connection.read_some(parser);
        if (failed == http::error::need_buffer) failed = {};
        if (failed) {
            fail(broken(failed));
            co_return end;
        }
        const std::string_view bytes(buffer.data(), buffer.size() - parser.get().body().size);
        if (bytes.empty()) continue;
        if (status != 200) {
            if (refusal.size() < kRefusalLimit) refusal.append(bytes);
            continue;
        }
        lines.feed(bytes);
        until = std::min(total, timeouts.inactivity ? after(*timeouts.inactivity) : TimePoint::max());
        limit = until == total ? Expired::Total : Expired::Inactivity;
        connection.expires_at(until);
    }
    lines.finish();
    if (status != 200) end.refusal = ApiResponse{.status = status, .body = std::move(refusal)};
    co_return end;
}

}  // namespace nodeagent::runtime::docker
