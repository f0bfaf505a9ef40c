#include "metadata/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include <boost/asio/local/stream_protocol.hpp>

#include "agent/base/files.hpp"

namespace nodeagent::metadata {

namespace {

using Local = asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t kLongestPath = 107;  // sockaddr_un

/// True when a socket is there that refuses connections: its owner is gone.
bool abandoned(const asio::any_io_executor& executor, const std::string& path) {
    error_code failure;
    Local::socket probe(executor);
    probe.connect(Local::endpoint(path), failure);
    return failure == asio::error::connection_refused;
}

}  // namespace

Result<asio::basic_socket_acceptor<asio::generic::stream_protocol>> bound_to_unix(const asio::any_io_executor& executor,
                                                                                  const std::string& path) {
    using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
    const std::string doing = "listen on " + path;
    if (path.size() > kLongestPath) {
        return Error{.kind = ErrorKind::Malformed, .what = doing + ": a unix socket's path has at most 107 bytes"};
    }
    const std::string directory = std::filesystem::path(path).parent_path().string();
    if (!directory.empty()) {
        if (auto made = make_directories(directory); !made) return with_context(doing, std::move(made).error());
    }
    if (abandoned(executor, path)) remove_unix_socket(path);
    error_code failure;
    Local::acceptor acceptor(executor);
    acceptor.open(Local(), failure);
    if (!failure) acceptor.bind(Local::endpoint(path), failure);
    if (failure == asio::error::address_in_use) {
        return Error{.kind = ErrorKind::Conflict,
                     .what = doing + ": another agent of this machine listens there; systemctl status ecs"};
    }
    // before listen(), so that nobody gets in between
    if (!failure && ::chmod(path.c_str(), 0600) != 0) return from_errno("restrict " + path);
    if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
    if (!failure) acceptor.non_blocking(true, failure);
    if (failure) return from_error_code(doing, failure);
    return Result<Acceptor>(Acceptor(std::move(acceptor)));
}

bool peer_may_control(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    return peer.uid == 0 || peer.uid == ::geteuid();
}

void remove_unix_socket(const std::string& path) { ::unlink(path.c_str()); }

}  // namespace nodeagent::metadata
