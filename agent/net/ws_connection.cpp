#include "agent/net/ws_connection.hpp"

#include <array>
#include <deque>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "agent/base/strings.hpp"
#include "agent/net/ws_codec.hpp"

namespace nodeagent::net {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kReadBuffer = 8192;
constexpr std::size_t kMaxProxyAnswer = 16384;
constexpr auto kLeastPerAddress =
    milliseconds(2000);  // as Go's dialer: of the connect deadline, for each further address

// TLS 1.2 suites of the reference; those of TLS 1.3 are left as OpenSSL has them.
constexpr const char* kCipherSuites =
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES128-SHA256:AES128-SHA:AES256-GCM-SHA384:AES256-SHA";

struct Target {
    bool secure = false;
    std::string host;
    std::uint16_t port = 0;
    [[nodiscard]] std::string name() const {
        return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
    }
};

Result<Target> parse_target(std::string_view url) {
    const auto malformed = [](std::string_view why) {
        return Error{.kind = ErrorKind::Malformed, .what = "websocket url " + std::string(why)};
    };
    Target out;
    if (url.starts_with("wss://")) {
        out.secure = true;
        url.remove_prefix(6);
    } else if (url.starts_with("ws://")) {
        url.remove_prefix(5);
    } else {
        return malformed("must start with ws:// or wss://");
    }
    url = url.substr(0, url.find_first_of("/?#"));
    std::string_view port;
    if (url.starts_with('[')) {
        const auto end = url.find(']');
        if (end == std::string_view::npos) return malformed("has a broken IPv6 address");
        out.host = url.substr(1, end - 1);
        port = url.substr(end + 1);
    } else {
        const auto colon = url.find(':');
        out.host = url.substr(0, colon);
        if (colon != std::string_view::npos) port = url.substr(colon);
    }
    if (out.host.empty()) return malformed("has no host");
    out.port = out.secure ? 443 : 80;
    if (!port.empty()) {
        const auto number = parse_integer(port.substr(1));
        if (port.front() != ':' || !number || *number < 1 || *number > 65535) return malformed("has no valid port");
        out.port = static_cast<std::uint16_t>(*number);
    }
    return out;
}

bool is_address(const std::string& host) {
    error_code bad;
    (void)asio::ip::make_address(host, bad);
    return !bad;
}

Error tls_error(std::string_view doing, const error_code& code) {
    const bool verification = code.category() == asio::error::get_ssl_category();
    Error out = from_error_code(doing, code);
    if (verification) {
        out.kind = ErrorKind::Denied;
        out.what += " (is the server's certificate signed by a trusted CA? AWS_CA_BUNDLE names further ones)";
    }
    return out;
}

}  // namespace

struct WsConnection::Impl {
    Impl(asio::any_io_executor executor, WsDeadlines limits)
        : deadlines(limits),
          plain(executor),
          phase_timer(executor),
          write_timer(executor),
          flushed(executor, asio::steady_timer::time_point::max()) {}

    using Self = std::shared_ptr<Impl>;

    WsDeadlines deadlines;
    tcp::socket plain;  ///< moved into `tls` for wss
    std::shared_ptr<asio::ssl::context> context;
    std::unique_ptr<asio::ssl::stream<tcp::socket>> tls;
    std::unique_ptr<WsCodec> codec;
    std::array<char, kReadBuffer> buffer{};

    std::deque<WsEvent> events;
    bool open = false;
    std::optional<int> refused_status;
    std::string refusal;
    std::optional<Error> broken;  ///< why the socket was cut

    std::string out;  ///< what the codec wrote and no flush has taken
    std::uint64_t queued_bytes = 0;
    std::uint64_t flushed_bytes = 0;
    bool flushing = false;

    asio::steady_timer phase_timer;  ///< connecting, upgrading, then each read
    std::uint64_t phase = 0;
    asio::steady_timer write_timer;
    std::uint64_t write_phase = 0;
    asio::steady_timer flushed;  ///< never expires; cancelled when a flush ended

    tcp::socket& socket() { return tls ? tls->next_layer() : plain; }

    void cut(Error why) {
        if (!broken) broken = std::move(why);
        error_code ignored;
        socket().close(ignored);
    }

    // The timers' handlers may be queued when the connection goes, hence the weak pointer; the phase number tells an
    // old expiry from the present one.
    static void arm(const Self& self, milliseconds limit, std::string doing) {
        const auto number = ++self->phase;
        self->phase_timer.expires_after(limit);
        self->phase_timer.async_wait(
            [weak = std::weak_ptr<Impl>(self), number, doing = std::move(doing)](error_code failed) {
                const auto live = weak.lock();
                if (failed || !live || live->phase != number) return;
                live->cut({.kind = ErrorKind::Timeout, .what = doing});
            });
    }
    void disarm() {
        ++phase;
        phase_timer.cancel();
    }
    static void arm_write(const Self& self) {
        const auto number = ++self->write_phase;
        self->write_timer.expires_after(self->deadlines.write);
        self->write_timer.async_wait([weak = std::weak_ptr<Impl>(self), number](error_code failed) {
            const auto live = weak.lock();
            if (failed || !live || live->write_phase != number) return;
            live->cut({.kind = ErrorKind::Timeout, .what = "websocket: the peer does not take what is sent"});
        });
    }

    void make_codec(WsCodecOptions options) {
        WsHandlers handlers;
        handlers.write = [this](std::string_view bytes) {
            out.append(bytes);
            queued_bytes += bytes.size();
        };
        handlers.open = [this] { open = true; };
        handlers.refused = [this](int status, std::string body) {
            refused_status = status;
            refusal = std::move(body);
        };
        handlers.message = [this](std::string payload, bool binary) {
            events.emplace_back(WsMessage{std::move(payload), binary});
        };
        handlers.closed = [this](std::uint16_t code, std::string reason) {
            events.emplace_back(WsClosed{code, std::move(reason)});
        };
        handlers.failed = [this](std::string what) {
            events.emplace_back(Error{.kind = ErrorKind::Malformed, .what = std::move(what)});
        };
        codec = std::make_unique<WsCodec>(std::move(options), std::move(handlers));
    }

    static asio::awaitable<std::size_t> read_some(Self self, error_code& failed) {
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        const auto into = asio::buffer(self->buffer);
        std::size_t size = 0;
        if (self->tls) {
            size = co_await self->tls->async_read_some(into, token);
        } else {
            size = co_await self->plain.async_read_some(into, token);
        }
        co_return size;
    }

    static asio::awaitable<void> write_all(Self self, const std::string& bytes, error_code& failed) {
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        const auto from = asio::buffer(bytes);
        if (self->tls) {
            co_await asio::async_write(*self->tls, from, token);
        } else {
            co_await asio::async_write(self->plain, from, token);
        }
    }

    // Returns when everything queued at the time of the call is written. One coroutine writes, the others wait for it.
    static asio::awaitable<Result<void>> flush(Self self) {
        const auto goal = self->queued_bytes;
        while (self->flushed_bytes < goal) {
            if (self->broken) co_return *self->broken;
            if (self->flushing) {
                error_code woken;
                auto token = asio::redirect_error(asio::use_awaitable, woken);
                co_await self->flushed.async_wait(token);
                continue;
            }
            struct Turn {
                Impl& impl;
                explicit Turn(Impl& i) : impl(i) { impl.flushing = true; }
                ~Turn() {
                    impl.flushing = false;
                    ++impl.write_phase;
                    impl.write_timer.cancel();
                    impl.flushed.cancel();
                }
            } turn(*self);
            const std::string bytes = std::exchange(self->out, {});
            arm_write(self);
            error_code failed;
            co_await write_all(self, bytes, failed);
            if (failed) {
                // half a frame may be out: nothing can follow it
                self->cut(from_error_code("websocket write", failed));
                co_return *self->broken;
            }
            self->flushed_bytes += bytes.size();
        }
        co_return Result<void>{};
    }

    // Reads once and lets the codec work; what it wants written goes out before this returns.
    static asio::awaitable<void> pump(Self self) {
        error_code failed;
        const std::size_t size = co_await read_some(self, failed);
        if (self->broken) co_return;
        if (!failed) {
            self->codec->feed(std::string_view(self->buffer.data(), size));
        } else if (failed == asio::error::eof || failed == asio::ssl::error::stream_truncated) {
            self->codec->end_of_stream();
        } else {
            self->cut(from_error_code("websocket read", failed));
        }
        if (!self->out.empty()) (void)co_await flush(self);  // a failure shows at the next read
    }

    static asio::awaitable<WsEvent> read(Self self) {
        arm(self, self->deadlines.read,
            "websocket: nothing received for " + std::to_string(self->deadlines.read.count() / 1000) + " s");
        while (self->events.empty() && !self->broken) co_await pump(self);
        self->disarm();
        if (!self->events.empty()) {
            WsEvent event = std::move(self->events.front());
            self->events.pop_front();
            co_return event;
        }
        WsEvent over = *self->broken;
        co_return over;
    }

    static asio::awaitable<Result<void>> write(Self self, std::string text) {
        if (self->broken) co_return *self->broken;
        if (!self->codec->send(text)) {
            co_return Error{.kind = ErrorKind::Unavailable, .what = "websocket: the connection is closing"};
        }
        text.clear();
        co_return co_await flush(self);
    }

    static asio::awaitable<void> close(Self self, std::uint16_t code, std::string reason) {
        if (self->broken) co_return;
        self->codec->close(code, reason);
        if (!self->out.empty()) (void)co_await flush(self);
    }

    // ---- opening ----

    static asio::awaitable<Result<void>> connect(Self self, std::string host, std::uint16_t port) {
        const auto began = std::chrono::steady_clock::now();
        std::vector<tcp::endpoint> endpoints;
        if (error_code no_address; true) {
            const auto address = asio::ip::make_address(host, no_address);
            if (!no_address) endpoints.emplace_back(address, port);
        }
        if (endpoints.empty()) {
            tcp::resolver resolver(self->plain.get_executor());
            error_code failed;
            auto token = asio::redirect_error(asio::use_awaitable, failed);
            const std::string service = std::to_string(port);
            const auto found = co_await resolver.async_resolve(host, service, token);
            if (failed) {
                co_return Error{.kind = ErrorKind::Unavailable,
                                .what = "look up " + host + ": " + failed.message(),
                                .cause = failed};
            }
            for (const auto& entry : found) endpoints.push_back(entry.endpoint());
        }
        Error last{.kind = ErrorKind::Unavailable, .what = "look up " + host + ": no address"};
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            const auto spent = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
            const auto left = self->deadlines.connect - spent;
            if (left.count() <= 0) break;
            const auto share = left / static_cast<int>(endpoints.size() - i);
            self->broken.reset();
            arm(self, std::min(left, std::max<milliseconds>(share, kLeastPerAddress)), "no answer in time");
            error_code failed;
            auto token = asio::redirect_error(asio::use_awaitable, failed);
            co_await self->plain.async_connect(endpoints[i], token);
            self->disarm();
            if (!failed) {
                error_code ignored;
                self->plain.set_option(tcp::no_delay(true), ignored);
                self->plain.set_option(asio::socket_base::keep_alive(true), ignored);
                co_return Result<void>{};
            }
            last = self->broken ? *self->broken : from_error_code("", failed);
            if (last.what.starts_with(": ")) last.what.erase(0, 2);
            if (last.kind == ErrorKind::Internal) last.kind = ErrorKind::Unavailable;
            error_code ignored;
            self->plain.close(ignored);
        }
        co_return last;
    }

    static asio::awaitable<Result<void>> tunnel(Self self, ProxyEndpoint proxy, std::string target) {
        std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
        if (!proxy.authorization.empty()) request += "Proxy-Authorization: " + proxy.authorization.reveal() + "\r\n";
        request += "\r\n";
        arm(self, self->deadlines.connect, "no answer in time");
        error_code failed;
        co_await write_all(self, request, failed);
        std::string answer;
        if (!failed) {
            auto token = asio::redirect_error(asio::use_awaitable, failed);
            auto into = asio::dynamic_buffer(answer, kMaxProxyAnswer);
            co_await asio::async_read_until(self->plain, into, std::string("\r\n\r\n"), token);
        }
        self->disarm();
        if (self->broken) co_return *self->broken;
        if (failed) co_return from_error_code("ask for a tunnel", failed);
        const auto space = answer.find(' ');
        const std::string status = space == std::string::npos ? std::string{} : answer.substr(space + 1, 3);
        if (status != "200") {
            co_return Error{.kind = status == "407" ? ErrorKind::Denied : ErrorKind::Unavailable,
                            .what = "the proxy refuses a tunnel to " + target + ": status " + status};
        }
        co_return Result<void>{};
    }

    static asio::awaitable<Result<void>> secure(Self self, std::string host, bool insecure) {
        self->tls = std::make_unique<asio::ssl::stream<tcp::socket>>(std::move(self->plain), *self->context);
        if (!is_address(host)) SSL_set_tlsext_host_name(self->tls->native_handle(), host.c_str());
        error_code ignored;
        if (insecure) {
            self->tls->set_verify_mode(asio::ssl::verify_none, ignored);
        } else {
            self->tls->set_verify_mode(asio::ssl::verify_peer, ignored);
            self->tls->set_verify_callback(asio::ssl::host_name_verification(host), ignored);
        }
        error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        co_await self->tls->async_handshake(asio::ssl::stream_base::client, token);
        if (self->broken) co_return *self->broken;
        if (failed) co_return tls_error("TLS handshake", failed);
        co_return Result<void>{};
    }

    static asio::awaitable<Result<void>> upgrade(Self self) {
        self->codec->start();
        if (!self->out.empty()) {
            auto sent = co_await flush(self);
            if (!sent) co_return std::move(sent).error();
        }
        while (!self->open && !self->refused_status && self->events.empty() && !self->broken) co_await pump(self);
        if (self->open) co_return Result<void>{};
        if (self->refused_status) {
            const int status = *self->refused_status;
            co_return Error{
                .kind = status == 401 || status == 403 ? ErrorKind::Denied : ErrorKind::Unavailable,
                .what = "websocket upgrade refused with status " + std::to_string(status) + ": " + self->refusal};
        }
        if (self->broken) co_return *self->broken;
        if (const auto* failure = std::get_if<Error>(&self->events.front())) co_return *failure;
        co_return Error{.kind = ErrorKind::Unavailable, .what = "websocket upgrade: the server closed"};
    }
};

WsConnection::WsConnection(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
WsConnection::~WsConnection() { drop("websocket: the connection object is gone"); }

asio::awaitable<WsEvent> WsConnection::read() { return Impl::read(impl_); }
asio::awaitable<Result<void>> WsConnection::write(std::string text) { return Impl::write(impl_, std::move(text)); }
asio::awaitable<void> WsConnection::close(std::uint16_t code, std::string reason) {
    return Impl::close(impl_, code, std::move(reason));
}
void WsConnection::drop(std::string why) { impl_->cut({.kind = ErrorKind::Unavailable, .what = std::move(why)}); }

struct WsDialer::State {
    Options options;
    std::shared_ptr<asio::ssl::context> context;  ///< made for the first wss connection

    Result<std::shared_ptr<asio::ssl::context>> tls_context() {
        if (context) return context;
        auto made = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
        error_code failed;
        made->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                              asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                              asio::ssl::context::no_tlsv1_1,
                          failed);
        SSL_CTX_set_cipher_list(made->native_handle(), kCipherSuites);
        const TlsOptions& tls = options.tls;
        if (!tls.ca_file.empty()) {
            made->load_verify_file(tls.ca_file, failed);
            if (failed) return from_error_code("load certificates from " + tls.ca_file, failed);
        }
        if (!tls.ca_dir.empty()) {
            made->add_verify_path(tls.ca_dir, failed);
            if (failed) return from_error_code("load certificates from " + tls.ca_dir, failed);
        }
        if (tls.ca_file.empty() && tls.ca_dir.empty()) made->set_default_verify_paths(failed);
        context = std::move(made);
        return context;
    }
};

WsDialer::WsDialer(Options options) : state_(std::make_unique<State>()) { state_->options = std::move(options); }
WsDialer::~WsDialer() = default;

asio::awaitable<Result<std::unique_ptr<WsConnection>>> WsDialer::open(std::string url, Headers headers,
                                                                      std::string* refusal) {
    using Impl = WsConnection::Impl;
    auto target = parse_target(url);
    if (!target) co_return std::move(target).error();
    auto proxy = proxy_for(state_->options.proxy, target->secure, target->host, target->port);
    if (!proxy) co_return std::move(proxy).error();

    const auto executor = co_await asio::this_coro::executor;
    auto impl = std::make_shared<Impl>(executor, state_->options.deadlines);
    const std::string host = *proxy ? (*proxy)->host : target->host;
    const std::uint16_t port = *proxy ? (*proxy)->port : target->port;
    auto connected = co_await Impl::connect(impl, host, port);
    if (!connected) {
        const std::string through = *proxy ? " through the proxy " + host + ":" + std::to_string(port) : "";
        co_return with_context("connect to " + target->name() + through, std::move(connected).error());
    }
    if (*proxy) {
        auto tunnelled = co_await Impl::tunnel(impl, **proxy, target->name());
        if (!tunnelled)
            co_return with_context("proxy " + host + ":" + std::to_string(port), std::move(tunnelled).error());
    }

    Impl::arm(impl, state_->options.deadlines.handshake,
              "websocket handshake with " + target->name() + ": no answer in time");
    if (target->secure) {
        auto context = state_->tls_context();
        if (!context) co_return std::move(context).error();
        impl->context = std::move(*context);
        auto secured = co_await Impl::secure(impl, target->host, state_->options.tls.insecure);
        if (!secured) co_return with_context("connect to " + target->name(), std::move(secured).error());
    }
    WsCodecOptions codec;
    codec.url = std::move(url);
    codec.headers = std::move(headers);
    codec.max_message = state_->options.max_message;
    impl->make_codec(std::move(codec));
    auto upgraded = co_await Impl::upgrade(impl);
    impl->disarm();
    if (!upgraded) {
        if (refusal != nullptr) *refusal = impl->refusal;
        co_return std::move(upgraded).error();
    }
    std::unique_ptr<WsConnection> connection(new WsConnection(std::move(impl)));
    co_return std::move(connection);
}

}  // namespace nodeagent::net
