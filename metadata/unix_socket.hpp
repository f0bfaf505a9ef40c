#pragma once
// A listening unix socket that only root and our own user can use.

#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include "agent/base/error.hpp"

namespace nodeagent::metadata {

namespace asio = boost::asio;

/// Makes the directory when it is missing, and takes the place of a socket that nobody listens on any more. Conflict:
/// somebody does.
[[nodiscard]] Result<asio::basic_socket_acceptor<asio::generic::stream_protocol>> bound_to_unix(
    const asio::any_io_executor& executor, const std::string& path);

/// Asked of the kernel: whether root or our own user is at the other end.
[[nodiscard]] bool peer_may_control(int socket);

void remove_unix_socket(const std::string& path);

}  // namespace nodeagent::metadata
