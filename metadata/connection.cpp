#include "metadata/connection.hpp"

#include <cstring>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "agent/base/strings.hpp"
#include "metadata/request_parser.hpp"
#include "metadata/response_writer.hpp"
#include "metadata/url_path.hpp"

namespace nodeagent::metadata {

namespace {

constexpr std::uint64_t kAnnounced = std::uint64_t{64} << 20U;  // bytes; who announces more is refused unheard

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto kResume = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadSize = 4096;
constexpr std::size_t kFlushSize = 65536;      // answers to pipelined requests are collected up to here
constexpr std::size_t kKeptCapacity = 16384;   // buffers that grew larger for one request are given back
constexpr std::size_t kChunkOverhead = 65536;  // of one chunk's header, or of trailers
constexpr int kAnswersInARow = 16;             // to pipelined requests, before other connections have their turn
constexpr auto kLinger = std::chrono::milliseconds(500);

struct Refusal {
    unsigned status = 400;
    std::string_view detail;
};

/// Whether a request line that could not be read asks for a version of HTTP that is none of ours.
bool asks_for_another_version(const boost::beast::flat_buffer& in) {
    const std::string_view bytes(static_cast<const char*>(in.data().data()), in.size());
    const std::vector<std::string_view> words = split(bytes.substr(0, bytes.find("\r\n")), ' ');
    if (words.size() != 3 || words[2].size() != 8 || !words[2].starts_with("HTTP/")) return false;
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return digit(words[2][5]) && words[2][6] == '.' && digit(words[2][7]);
}

Refusal refusal_for(const error_code& failure, const boost::beast::flat_buffer& in) {
    if (failure == http::error::header_limit || failure == http::error::buffer_overflow)
        return {.status = 431, .detail = {}};
    if (failure == http::error::bad_transfer_encoding)
        return {.status = 501, .detail = "Unsupported transfer encoding"};
    if (failure == http::error::bad_version && asks_for_another_version(in))
        return {.status = 505, .detail = "unsupported protocol version"};
    return {};
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string_view Shared::date() {
    const auto wall = clock.now().wall;
    const auto second = std::chrono::floor<std::chrono::seconds>(wall.time_since_epoch());
    if (second != date_second_) {
        date_second_ = second;
        date_ = http_date(wall);
    }
    return date_;
}

Peer peer_of(const asio::generic::stream_protocol::endpoint& generic) {
    if (generic.protocol().family() == AF_UNIX) {
        Peer peer;
        peer.ip = "unix";
        peer.ip_and_port = "unix";
        peer.loopback = true;
        return peer;
    }
    asio::ip::tcp::endpoint remote;
    std::memcpy(remote.data(), generic.data(), std::min(generic.size(), remote.capacity()));
    asio::ip::address address = remote.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    Peer peer;
    peer.ip = address.to_string();
    peer.loopback = address.is_loopback();
    const std::string port = std::to_string(remote.port());
    peer.ip_and_port = address.is_v6() ? "[" + peer.ip + "]:" + port : peer.ip + ":" + port;
    const auto bytes = address.is_v6() ? address.to_v6().to_bytes()
                                       : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes();
    std::memcpy(peer.address.data(), bytes.data(), peer.address.size());
    return peer;
}

namespace {

// A coroutine's state in one object, so that its steps can be functions.
class Session {
  public:
    Session(Connection& connection, Shared& shared) : connection_(connection), shared_(shared) {}
    ~Session() { shared_.buffered -= connection_.buffered; }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    asio::awaitable<void> run();

  private:
    enum class Read { Done, More, Refused };
    void begin_request();
    [[nodiscard]] Read parse();
    [[nodiscard]] bool room_for(std::size_t more);
    [[nodiscard]] Read check_headers();
    Read refuse(Refusal refusal);
    Read answer_without_body();
    void render(const Request& request, const Response& answer);
    void give_back_memory();
    asio::awaitable<error_code> read_more();
    asio::awaitable<bool> flush();
    asio::awaitable<void> answer();
    asio::awaitable<void> linger();

    Connection& connection_;
    Shared& shared_;
    boost::beast::flat_buffer in_;
    std::string out_;
    std::string common_headers_;
    std::optional<RequestParser> parser_;
    bool headers_checked_ = false;
    bool body_whole_ = true;
    bool keep_ = true;
    bool more_may_come_ = false;  ///< of what nobody reads
    int in_a_row_ = 0;
};

void Session::begin_request() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.options.header_limit));
    parser_->body_limit(kAnnounced);  // see parse(); what is announced is reserved
    parser_->eager(true);
    headers_checked_ = false;
    body_whole_ = true;
    connection_.active_at = shared_.clock.now().steady;
    connection_.deadline = connection_.active_at + shared_.options.read_timeout;
}

Session::Read Session::refuse(Refusal refusal) {
    write_refusal(refusal.status, refusal.detail, out_);
    keep_ = false;
    more_may_come_ = true;
    return Read::Refused;
}

// Whoever answers sees what there is of the body, and that this is not all.
Session::Read Session::answer_without_body() {
    body_whole_ = keep_ = false;
    more_may_come_ = true;
    return Read::Done;
}

// What Go checks beyond the grammar, and the body as far as it was announced or has come. More: go on.
Session::Read Session::check_headers() {
    const bool first = !std::exchange(headers_checked_, true);
    if (parser_->get().version() >= 11 && parser_->hosts() == 0)
        return refuse({.status = 400, .detail = "missing required Host header"});
    if (parser_->hosts() > 1) return refuse({.status = 400, .detail = "too many Host headers"});
    const bool read = shared_.handler.reads_body(view(parser_->get().method_string()));
    const std::uint64_t announced = parser_->content_length().value_or(0);
    const std::uint64_t body = std::max<std::uint64_t>(announced, parser_->get().body().size());
    if (body > shared_.options.body_limit) return read ? refuse({.status = 413, .detail = {}}) : answer_without_body();
    const auto& expectation = parser_->expectation();
    if (!first || !expectation || expectation->empty()) return Read::More;
    if (!equals_ignoring_case(*expectation, "100-continue")) return refuse({.status = 417, .detail = {}});
    if (parser_->is_done()) return Read::More;
    if (!read) return answer_without_body();
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    return Read::More;
}

Session::Read Session::parse() {
    while (!parser_->is_done() && in_.size() >= parser_->least()) {
        error_code failure;
        const std::size_t used = parser_->put(in_.data(), failure);
        in_.consume(used);
        if (failure && failure != http::error::need_more) return refuse(refusal_for(failure, in_));
        if (!parser_->is_header_done()) break;
        if (const Read state = check_headers(); state != Read::More) return state;
        if (failure != http::error::need_more) continue;
        if (in_.size() > kChunkOverhead) return refuse({});
        break;
    }
    return parser_->is_done() ? Read::Done : Read::More;
}

// Small requests are free; what exceeds that is bounded over all connections, so that no client can make us grow.
bool Session::room_for(std::size_t more) {
    const std::size_t held = in_.capacity() + parser_->kept_bytes() + more;
    const std::size_t counted = held > kKeptCapacity ? held : 0;
    if (shared_.buffered - connection_.buffered + counted > shared_.options.buffer_limit) return false;
    shared_.buffered = shared_.buffered - connection_.buffered + counted;
    connection_.buffered = counted;
    return true;
}

void Session::give_back_memory() {
    if (in_.capacity() > kKeptCapacity && in_.size() < kKeptCapacity / 2) in_.shrink_to_fit();
}

asio::awaitable<error_code> Session::read_more() {
    const bool first = in_.size() == 0 && !parser_->got_some();
    const auto space = in_.prepare(std::max(kReadSize, std::min<std::size_t>(in_.size(), kFlushSize)));
    const auto [failure, n] = co_await connection_.socket.async_read_some(space, kResume);
    if (failure) co_return failure;
    in_.commit(n);
    // idle time does not count against the request that ends it
    if (first) connection_.deadline = shared_.clock.now().steady + shared_.options.read_timeout;
    co_return failure;
}

asio::awaitable<bool> Session::flush() {
    if (out_.empty()) co_return true;
    // Nearly always the kernel takes it all at once, and then no operation needs to be set up.
    error_code failure;
    const std::size_t sent = connection_.socket.write_some(asio::buffer(out_), failure);
    if (failure && failure != asio::error::would_block && failure != asio::error::try_again) co_return false;
    if (sent < out_.size()) {
        const auto rest = asio::buffer(out_) + sent;
        const auto [broken, n] = co_await asio::async_write(connection_.socket, rest, kResume);
        if (broken) co_return false;
    }
    out_.clear();
    if (out_.capacity() > kFlushSize) out_.shrink_to_fit();
    co_return true;
}

void Session::render(const Request& request, const Response& answer) {
    const auto& message = parser_->get();
    const Framing framing{.http_1_1 = message.version() >= 11,
                          .head = request.method == "HEAD",
                          .keep_alive = keep_ && parser_->keep_alive()};
    common_headers_.clear();
    shared_.handler.write_common_headers(request, answer, common_headers_);
    keep_ = write_response(answer, framing, common_headers_, shared_.date(), out_);
}

asio::awaitable<void> Session::answer() {
    const auto& message = parser_->get();
    const auto target = parse_target(view(message.target()));
    if (!target) {
        refuse({});
        co_return;
    }
    const Request request{.method = view(message.method_string()),
                          .path = target->path,
                          .query = target->query,
                          .has_query = target->has_query,
                          .body = message.body(),
                          .body_whole = body_whole_,
                          .user_agent = parser_->user_agent(),
                          .forwarded_for = parser_->forwarded_for(),
                          .accept_encoding = parser_->accept_encoding(),
                          .host = parser_->host(),
                          .peer = &connection_.peer};
    Response response;
    std::optional<asio::awaitable<void>> work = shared_.handler.handle(request, response);
    if (work) {
        // answers to earlier pipelined requests do not wait for it
        if (!co_await flush()) {
            keep_ = false;
            co_return;
        }
        asio::awaitable<void> pending = std::move(*work);
        co_await std::move(pending);
    }
    render(request, response);
}

// After a refusal the client may still be sending; closing at once would reset the connection under the answer.
asio::awaitable<void> Session::linger() {
    error_code ignored;
    connection_.socket.shutdown(Connection::Socket::shutdown_send, ignored);
    connection_.deadline = std::min(connection_.deadline, shared_.clock.now().steady + kLinger);
    in_.clear();
    for (;;) {
        const auto space = in_.prepare(kReadSize);
        const auto [failure, n] = co_await connection_.socket.async_read_some(space, kResume);
        if (failure) co_return;
    }
}

asio::awaitable<void> Session::run() {
    begin_request();
    for (;;) {
        Read state = parse();
        if (state == Read::More) {
            if (!co_await flush()) co_return;
            give_back_memory();
            if (!room_for(kReadSize)) {
                refuse({.status = 503, .detail = "too many large requests at once"});
                if (co_await flush()) co_await linger();
                co_return;
            }
            const error_code failure = co_await read_more();
            if (!failure) continue;
            // A client that has sent its last word may still listen; without whole headers that was no request.
            if (failure != asio::error::eof || !parser_->is_header_done()) co_return;
            state = answer_without_body();
        }
        if (state == Read::Done) {
            connection_.deadline = shared_.clock.now().steady + shared_.options.write_timeout;
            co_await answer();
        }
        if (!keep_) {
            const bool unread = more_may_come_ || in_.size() > 0;
            if (co_await flush() && unread) co_await linger();
            co_return;
        }
        if (out_.size() >= kFlushSize && !co_await flush()) co_return;
        begin_request();
        if (in_.size() == 0) {
            if (!co_await flush()) co_return;
            in_a_row_ = 0;
        } else if (++in_a_row_ % kAnswersInARow == 0) {
            co_await asio::post(connection_.socket.get_executor(), asio::use_awaitable);
        }
        give_back_memory();
        (void)room_for(0);
    }
}

}  // namespace

asio::awaitable<void> serve(Connection& connection, Shared& shared) {
    Session session(connection, shared);
    co_await session.run();
}

}  // namespace nodeagent::metadata
