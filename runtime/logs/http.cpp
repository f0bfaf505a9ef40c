#include "runtime/logs/http.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "agent/base/fd.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::logs {
namespace {

constexpr std::size_t kMaxHead = 32U << 10U;
constexpr std::size_t kMaxBody = 1U << 20U;
constexpr std::chrono::seconds kConnect{5};

struct Address {
    bool secure = false;
    std::string host;
    std::string port;
    std::string path;  // with the query
    std::string user;  // "user:password"
    [[nodiscard]] std::string host_header() const {
        const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
        return port == (secure ? "443" : "80") ? name : name + ":" + port;
    }
};

Result<Address> parse_address(std::string_view url) {
    const Error bad{.kind = ErrorKind::Malformed, .what = "not an http or https URL"};
    Address out;
    if (url.starts_with("https://")) {
        out.secure = true;
        url.remove_prefix(8);
    } else if (url.starts_with("http://")) {
        url.remove_prefix(7);
    } else {
        return bad;
    }
    const std::size_t slash = url.find_first_of("/?");
    std::string_view authority = url.substr(0, slash);
    out.path = slash == std::string_view::npos ? "/" : std::string(url.substr(slash));
    if (out.path.front() == '?') out.path.insert(0, "/");
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
        out.user = percent_decode(authority.substr(0, at)).value_or(std::string());
        authority.remove_prefix(at + 1);
    }
    out.port = out.secure ? "443" : "80";
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos) return bad;
        out.host = authority.substr(1, close - 1);
        authority.remove_prefix(close + 1);
    } else {
        out.host = authority.substr(0, authority.find(':'));
        authority.remove_prefix(out.host.size());
    }
    if (authority.starts_with(':')) out.port = authority.substr(1);
    if (out.host.empty()) return bad;
    for (const char c : out.host + out.path) {
        if (static_cast<unsigned char>(c) <= ' ') return bad;
    }
    return out;
}

Error timed_out(std::string_view doing) {
    return {.kind = ErrorKind::Timeout, .what = std::string(doing) + ": no answer in time"};
}

std::string tls_reason() {
    std::array<char, 256> text{};
    const unsigned long code = ::ERR_get_error();
    if (code == 0) return "the connection was closed";
    ::ERR_error_string_n(code, text.data(), text.size());
    ::ERR_clear_error();
    return text.data();
}

}  // namespace

struct HttpConnection::State {
    State(Waiter& w, HttpOptions o) : waiter(w), options(std::move(o)) {}
    ~State() {
        close();
        if (context != nullptr) ::SSL_CTX_free(context);
    }

    void close() {
        if (tls != nullptr) ::SSL_free(tls);
        tls = nullptr;
        socket.reset();
        open_to.clear();
        received.clear();
    }

    Result<void> connect_to(const sockaddr* address, socklen_t length, int family, Monotonic until) {
        socket = Fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!socket) return from_errno("make a socket");
        if (::connect(socket.get(), address, length) != 0) {
            if (errno != EINPROGRESS && errno != EAGAIN) return from_errno("connect");
            if (!waiter.wait(socket.get(), POLLOUT, until)) return timed_out("connect");
            int failed = 0;
            socklen_t size = sizeof failed;
            ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failed, &size);
            if (failed != 0) return from_error_code("connect", {failed, std::generic_category()});
        }
        if (family != AF_UNIX) {
            const int on = 1;
            ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
        return {};
    }

    Result<void> connect_unix(const std::string& path, Monotonic until) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof address.sun_path) {
            return Error{.kind = ErrorKind::Malformed, .what = "the socket's path is too long"};
        }
        std::memcpy(address.sun_path, path.data(), path.size());
        return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, AF_UNIX, until);
    }

    Result<void> connect_tcp(const std::string& host, const std::string& port, Monotonic until) {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_ADDRCONFIG;
        addrinfo* found = nullptr;
        if (const int failed = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); failed != 0) {
            return Error{.kind = ErrorKind::Unavailable, .what = "resolve " + host + ": " + ::gai_strerror(failed)};
        }
        const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &::freeaddrinfo);
        Result<void> outcome = Error{.kind = ErrorKind::Unavailable, .what = "no address of " + host};
        for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
            const Monotonic soon = std::min(until, std::chrono::steady_clock::now() + kConnect);
            outcome = connect_to(at->ai_addr, at->ai_addrlen, at->ai_family, soon);
            if (outcome || waiter.over()) break;
        }
        if (!outcome) return with_context("connect to " + host + ":" + port, std::move(outcome).error());
        return outcome;
    }

    Result<void> secure(const std::string& host, Monotonic until) {
        if (context == nullptr) {
            context = ::SSL_CTX_new(::TLS_client_method());
            if (context == nullptr) return Error{.what = "TLS: " + tls_reason()};
            ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
            ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
            ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
            const int loaded = options.ca_file.empty()
                                   ? ::SSL_CTX_load_verify_dir(context, options.ca_directory.c_str())
                                   : ::SSL_CTX_load_verify_file(context, options.ca_file.c_str());
            if (loaded != 1) return Error{.kind = ErrorKind::Denied, .what = "load certificates: " + tls_reason()};
        }
        tls = ::SSL_new(context);
        ::SSL_set_fd(tls, socket.get());
        ::SSL_set_tlsext_host_name(tls, host.c_str());
        ::SSL_set1_host(tls, host.c_str());
        ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(tls), host.c_str());  // no effect unless it is an address
        ::ERR_clear_error();
        while (true) {
            const int done = ::SSL_connect(tls);
            if (done == 1) return {};
            if (auto waited = tls_wait(done, until, "TLS handshake"); !waited) {
                const long verdict = ::SSL_get_verify_result(tls);
                if (verdict == X509_V_OK) return waited;
                return Error{.kind = ErrorKind::Denied,
                             .what = std::string("TLS certificate: ") + ::X509_verify_cert_error_string(verdict)};
            }
        }
    }

    Result<void> tls_wait(int outcome, Monotonic until, std::string_view doing) {
        const int why = ::SSL_get_error(tls, outcome);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
            if (waiter.wait(socket.get(), why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until)) return {};
            return timed_out(doing);
        }
        return Error{.kind = ErrorKind::Unavailable, .what = std::string(doing) + ": " + tls_reason()};
    }

    Result<void> write(std::string_view bytes, Monotonic until) {
        while (!bytes.empty()) {
            if (tls != nullptr) {
                const int done =
                    ::SSL_write(tls, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1U << 20U)));
                if (done > 0) {
                    bytes.remove_prefix(static_cast<std::size_t>(done));
                } else if (auto waited = tls_wait(done, until, "send"); !waited) {
                    return waited;
                }
                continue;
            }
            const ssize_t done = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (done > 0) {
                bytes.remove_prefix(static_cast<std::size_t>(done));
            } else if (errno == EAGAIN) {
                if (!waiter.wait(socket.get(), POLLOUT, until)) return timed_out("send");
            } else if (errno != EINTR) {
                return from_errno("send");
            }
        }
        return {};
    }

    /// 0 at the end of the stream.
    Result<std::size_t> read_more(Monotonic until) {
        std::array<char, 8192> chunk;
        while (true) {
            if (tls != nullptr) {
                const int got = ::SSL_read(tls, chunk.data(), static_cast<int>(chunk.size()));
                if (got > 0) {
                    received.append(chunk.data(), static_cast<std::size_t>(got));
                    return static_cast<std::size_t>(got);
                }
                const int why = ::SSL_get_error(tls, got);
                if (why == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
                if (auto waited = tls_wait(got, until, "receive"); !waited) return std::move(waited).error();
                continue;
            }
            const ssize_t got = ::recv(socket.get(), chunk.data(), chunk.size(), 0);
            if (got >= 0) {
                received.append(chunk.data(), static_cast<std::size_t>(got));
                return static_cast<std::size_t>(got);
            }
            if (errno == EAGAIN) {
                if (!waiter.wait(socket.get(), POLLIN, until)) return timed_out("receive");
            } else if (errno != EINTR) {
                return from_errno("receive");
            }
        }
    }

    /// A line of the answer, without CRLF.
    Result<std::string> line(Monotonic until) {
        while (true) {
            if (const std::size_t end = received.find('\n'); end != std::string::npos) {
                std::string out = received.substr(0, end);
                received.erase(0, end + 1);
                if (out.ends_with('\r')) out.pop_back();
                return out;
            }
            if (received.size() > kMaxHead) return Error{.kind = ErrorKind::Malformed, .what = "the answer is no HTTP"};
            auto got = read_more(until);
            if (!got) return std::move(got).error();
            if (*got == 0) return Error{.kind = ErrorKind::Unavailable, .what = "the connection was closed"};
        }
    }

    Result<void> take(std::string& body, std::size_t bytes, Monotonic until) {
        if (bytes > kMaxBody || body.size() + bytes > kMaxBody) {
            return Error{.kind = ErrorKind::Malformed, .what = "the answer is too long"};
        }
        while (received.size() < bytes) {
            auto got = read_more(until);
            if (!got) return std::move(got).error();
            if (*got == 0) return Error{.kind = ErrorKind::Unavailable, .what = "the answer was cut off"};
        }
        body.append(received, 0, bytes);
        received.erase(0, bytes);
        return {};
    }

    /// Status and headers.
    Result<SimpleResponse> answer_head(Monotonic until) {
        SimpleResponse out;
        std::size_t head = 0;
        auto status = line(until);
        if (!status) return std::move(status).error();
        const std::vector<std::string_view> words = split(*status, ' ');
        const auto code = words.size() > 1 ? parse_integer(words[1]) : std::nullopt;
        if (!status->starts_with("HTTP/1.") || !code || *code < 100 || *code > 599) {
            return Error{.kind = ErrorKind::Malformed, .what = "the answer is no HTTP"};
        }
        out.status = static_cast<int>(*code);
        while (true) {
            auto field = line(until);
            if (!field) return std::move(field).error();
            if (field->empty()) break;
            head += field->size();
            if (head > kMaxHead) return Error{.kind = ErrorKind::Malformed, .what = "the answer's head is too long"};
            const std::size_t colon = field->find(':');
            if (colon == std::string::npos) continue;
            out.headers[lower(field->substr(0, colon))] = trimmed(std::string_view(*field).substr(colon + 1));
        }
        if (out.status < 200 && out.status != 101) return answer_head(until);
        return out;
    }

    Result<SimpleResponse> answer(Monotonic until) {
        auto begun = answer_head(until);
        if (!begun) return begun;
        SimpleResponse& out = *begun;
        if (out.status == 204 || out.status == 304) return begun;
        if (equals_ignoring_case(out.headers["transfer-encoding"], "chunked")) {
            while (true) {
                auto size = line(until);
                if (!size) return std::move(size).error();
                char* end = nullptr;
                const unsigned long long bytes = std::strtoull(size->c_str(), &end, 16);
                if (end == size->c_str()) return Error{.kind = ErrorKind::Malformed, .what = "a chunk without size"};
                if (bytes > 0) {
                    if (auto taken = take(out.body, bytes, until); !taken) return std::move(taken).error();
                }
                auto after = line(until);
                if (!after) return std::move(after).error();
                if (bytes == 0) return begun;
            }
        }
        if (const auto length = parse_integer(out.headers["content-length"]); length && *length >= 0) {
            if (auto taken = take(out.body, static_cast<std::size_t>(*length), until); !taken) {
                return std::move(taken).error();
            }
            return begun;
        }
        while (true) {
            auto got = read_more(until);
            if (!got) return std::move(got).error();
            if (received.size() > kMaxBody)
                return Error{.kind = ErrorKind::Malformed, .what = "the answer is too long"};
            if (*got == 0) break;
        }
        out.body = std::exchange(received, {});
        out.headers["connection"] = "close";
        return begun;
    }

    Result<void> open(const SimpleRequest& request, const Address& address, Monotonic until) {
        const std::string to =
            request.unix_socket + "|" + (address.secure ? "s" : "") + address.host + ":" + address.port;
        if (socket && open_to == to) return {};
        close();
        Result<void> connected;
        const bool proxied = !options.proxy.empty() && request.unix_socket.empty() && !is_local(address.host);
        if (!request.unix_socket.empty()) {
            connected = connect_unix(request.unix_socket, until);
        } else if (proxied) {
            auto proxy = parse_address(options.proxy);
            if (!proxy) return with_context("proxy", std::move(proxy).error());
            connected = connect_tcp(proxy->host, proxy->port, until);
            if (connected && address.secure) connected = tunnel(*proxy, address, until);
        } else {
            connected = connect_tcp(address.host, address.port, until);
        }
        if (connected && address.secure) connected = secure(address.host, until);
        if (!connected) return connected;
        open_to = to;
        return {};
    }

    // The agent's own endpoints and the metadata service are never behind the proxy.
    static bool is_local(const std::string& host) {
        return host == "127.0.0.1" || host == "::1" || host == "localhost" || host.starts_with("169.254.");
    }

    Result<void> tunnel(const Address& proxy, const Address& address, Monotonic until) {
        std::string text = "CONNECT " + address.host + ":" + address.port + " HTTP/1.1\r\nHost: " + address.host + ":" +
                           address.port + "\r\n" + proxy_login(proxy) + "\r\n";
        if (auto sent = write(text, until); !sent) return sent;
        auto reply = answer_head(until);  // what follows a yes is the service's
        if (!reply) return with_context("proxy", std::move(reply).error());
        if (reply->status / 100 != 2) {
            return Error{.kind = ErrorKind::Unavailable, .what = "proxy: status " + std::to_string(reply->status)};
        }
        return {};
    }

    static std::string proxy_login(const Address& proxy) {
        if (proxy.user.empty()) return {};
        return "Proxy-Authorization: Basic " + base64_encode(proxy.user) + "\r\n";
    }

    Result<SimpleResponse> once(const SimpleRequest& request, const Address& address, Monotonic until) {
        if (auto opened = open(request, address, until); !opened) return std::move(opened).error();
        const bool proxied = !options.proxy.empty() && request.unix_socket.empty() && !is_local(address.host);
        std::string head = request.method + " ";
        if (proxied && !address.secure) head += "http://" + address.host_header();
        head += address.path + " HTTP/1.1\r\nHost: " + address.host_header() + "\r\n";
        if (proxied && !address.secure) {
            if (auto proxy = parse_address(options.proxy)) head += proxy_login(*proxy);
        }
        for (const auto& [name, value] : request.headers) head += name + ": " + value + "\r\n";
        if (request.method != "GET") head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
        head += "\r\n";
        if (auto sent = write(head, until); !sent) return std::move(sent).error();
        if (auto sent = write(request.body, until); !sent) return std::move(sent).error();
        return answer(until);
    }

    Waiter& waiter;
    HttpOptions options;
    SSL_CTX* context = nullptr;
    SSL* tls = nullptr;
    Fd socket;
    std::string open_to;
    std::string received;
};

HttpConnection::HttpConnection(Waiter& waiter, HttpOptions options)
    : state_(std::make_unique<State>(waiter, std::move(options))) {}
HttpConnection::~HttpConnection() = default;

void HttpConnection::close() { state_->close(); }

Result<SimpleResponse> HttpConnection::send(const SimpleRequest& request) {
    auto address = parse_address(request.url);
    if (!address) return std::move(address).error();
    const Monotonic until = std::chrono::steady_clock::now() + request.timeout;
    const bool reused = static_cast<bool>(state_->socket);
    auto outcome = state_->once(request, *address, until);
    if (!outcome && reused && outcome.error().kind != ErrorKind::Timeout && !state_->waiter.over()) {
        // the peer had closed the connection that was kept
        state_->close();
        outcome = state_->once(request, *address, until);
    }
    if (!outcome || equals_ignoring_case(outcome->headers["connection"], "close")) state_->close();
    state_->received.shrink_to_fit();
    return outcome;
}

}  // namespace nodeagent::runtime::logs
