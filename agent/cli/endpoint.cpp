#include "agent/cli/endpoint.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "agent/base/fd.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::cli {

namespace {

using Deadline = std::chrono::steady_clock::time_point;
constexpr std::size_t kMaxReply = 64U << 20U;
constexpr std::string_view kDefaultPort = "51678";

std::string shown(const Endpoint& endpoint) {
    const bool v6 = endpoint.host.find(':') != std::string::npos;
    return "http://" + (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + endpoint.port;
}

// 1 ready, 0 too late.
int wait(int socket, short events, Deadline deadline) {
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd wanted{.fd = socket, .events = events, .revents = 0};
        const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<long long>(0, left.count())));
        if (ready >= 0 || errno != EINTR) return ready > 0 ? 1 : 0;
    }
}

Error timed_out(const std::string& where) {
    return {.kind = ErrorKind::Timeout,
            .what = "the agent at " + where + " did not answer in time; see journalctl -u ecs for what it does"};
}

// errno, or 0 with the socket connected.
int connect_to(const addrinfo& address, Fd& out, Deadline deadline) {
    Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return errno;
    if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
        if (errno != EINPROGRESS) return errno;
        if (wait(socket.get(), POLLOUT, deadline) == 0) return ETIMEDOUT;
        int failure = 0;
        socklen_t size = sizeof failure;
        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
        if (failure != 0) return failure;
    }
    out = std::move(socket);
    return 0;
}

Result<Fd> connect_any(const Endpoint& endpoint, Deadline deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int failure = ::getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &list);
    if (failure != 0) {
        return Error{.kind = ErrorKind::NotFound, .what = "look up " + endpoint.host + ": " + ::gai_strerror(failure)};
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, ::freeaddrinfo);
    int last = 0;
    for (const addrinfo* address = list; address != nullptr; address = address->ai_next) {
        Fd socket;
        last = connect_to(*address, socket, deadline);
        if (last == 0) return socket;
    }
    if (last == ETIMEDOUT) return timed_out(shown(endpoint));
    return Error{.kind = ErrorKind::Unavailable,
                 .what = "no agent answers at " + shown(endpoint) + " (" + std::generic_category().message(last) +
                         "). Is ecs-node-agent running? As a service: systemctl status ecs",
                 .cause = std::error_code(last, std::generic_category())};
}

// HTTP/1.0: the answer is not chunked and ends with the connection
Result<Reply> exchange(int socket, const std::string& request, const std::string& where, Deadline deadline) {
    std::string_view rest = request;
    while (!rest.empty()) {
        const ssize_t n = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (n > 0) {
            rest.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            if (wait(socket, POLLOUT, deadline) == 0) return timed_out(where);
        } else if (errno != EINTR) {
            return from_errno("ask " + where);
        }
    }
    std::string text;
    std::array<char, 16384> buffer{};
    for (;;) {
        const ssize_t n = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (n == 0) break;
        if (n > 0) {
            text.append(buffer.data(), static_cast<std::size_t>(n));
            if (text.size() > kMaxReply)
                return Error{.kind = ErrorKind::Malformed, .what = "the answer is longer than 64 MiB"};
        } else if (errno == EAGAIN) {
            if (wait(socket, POLLIN, deadline) == 0) return timed_out(where);
        } else if (errno != EINTR) {
            return from_errno("read the answer of " + where);
        }
    }
    Result<Reply> reply = parse_reply(text);
    if (!reply) return with_context(where, reply.error());
    return reply;
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
    const std::string whole(text);
    const auto malformed = [&whole](std::string_view why) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "--endpoint \"" + whole + "\": " + std::string(why) +
                             "; give something like http://127.0.0.1:51678"};
    };
    if (text.starts_with("https://")) return malformed("the agent serves plain http only");
    if (text.starts_with("http://")) text.remove_prefix(7);
    while (text.ends_with('/')) text.remove_suffix(1);
    Endpoint endpoint;
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return malformed("no ] after the address");
        endpoint.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
        if (!port.empty() && port.front() != ':') return malformed("only a port may follow ]");
    } else {
        const std::size_t colon = text.find(':');
        endpoint.host = text.substr(0, colon);
        if (colon != std::string_view::npos) port = text.substr(colon);
    }
    if (endpoint.host.empty() || endpoint.host.find('/') != std::string::npos) return malformed("not a host and port");
    endpoint.port = port.empty() ? kDefaultPort : port.substr(1);
    const std::optional<long long> number = parse_integer(endpoint.port);
    if (!number || *number < 1 || *number > 65535) return malformed("the port is not from 1 to 65535");
    return endpoint;
}

Result<Reply> get(const Endpoint& endpoint, const std::string& target, std::chrono::seconds timeout) {
    const Deadline deadline = std::chrono::steady_clock::now() + timeout;
    Result<Fd> connected = connect_any(endpoint, deadline);
    if (!connected) return connected.error();
    const std::string request =
        "GET " + target + " HTTP/1.0\r\nHost: " + endpoint.host + "\r\nAccept: application/json\r\n\r\n";
    return exchange(connected->get(), request, shown(endpoint), deadline);
}

Result<Reply> call_unix(const std::string& path, const std::string& method, const std::string& target,
                        const std::string& body, std::chrono::seconds timeout) {
    const Deadline deadline = std::chrono::steady_clock::now() + timeout;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return Error{.kind = ErrorKind::Malformed, .what = "--socket: a unix socket's path has at most 107 bytes"};
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return from_errno("open a socket");
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {  // NOLINT
        Error failure = from_errno("connect to the agent's control socket " + path);
        failure.what += failure.kind == ErrorKind::Denied
                            ? "; it is for root only: sudo ecs-node ..."
                            : "; is ecs-node-agent running? As a service: systemctl status ecs. Another path: --socket";
        return failure;
    }
    ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    const std::string request = method + " " + target +
                                " HTTP/1.0\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
                                "\r\n\r\n" + body;
    return exchange(socket.get(), request, path, deadline);
}

Result<Reply> parse_reply(std::string_view text) {
    const std::size_t end = text.find("\r\n\r\n");
    const bool http = text.starts_with("HTTP/1.") && text.size() > 12 && text[8] == ' ';
    const std::optional<long long> status = http ? parse_integer(text.substr(9, 3)) : std::nullopt;
    if (end == std::string_view::npos || !status) {
        return Error{.kind = ErrorKind::Malformed, .what = "what answers there does not speak HTTP"};
    }
    Reply reply;
    reply.status = static_cast<int>(*status);
    reply.body = text.substr(end + 4);
    for (const std::string_view line : split(text.substr(0, end), '\n')) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !equals_ignoring_case(line.substr(0, colon), "content-length")) continue;
        const std::optional<long long> length = parse_integer(trimmed(line.substr(colon + 1)));
        if (length && *length >= 0 && reply.body.size() < static_cast<std::size_t>(*length)) {
            return Error{.kind = ErrorKind::Malformed, .what = "the connection ended in the middle of the answer"};
        }
    }
    return reply;
}

}  // namespace nodeagent::cli
