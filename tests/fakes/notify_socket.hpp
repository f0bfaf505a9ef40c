#pragma once
// The other end of NOTIFY_SOCKET: a datagram socket as systemd has one.

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>

#include "agent/base/fd.hpp"

namespace nodeagent::fakes {

class NotifySocket {
  public:
    /// A path, or an abstract name after '@'.
    explicit NotifySocket(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (name.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + name);
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name.starts_with('@')) address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
            throw std::runtime_error("cannot bind " + name);
    }

    /// The next message; waits for it.
    std::string wait() { return *receive(0); }
    /// The next message, if there is one.
    std::optional<std::string> next() { return receive(MSG_DONTWAIT); }
    /// The last message of those that are there.
    std::string last() {
        std::string found;
        while (auto message = next()) found = *std::move(message);
        return found;
    }

  private:
    std::optional<std::string> receive(int flags) {
        char buffer[4096];
        const ssize_t size = ::recv(socket_.get(), buffer, sizeof buffer, flags);
        if (size < 0 && flags == 0) throw std::runtime_error("cannot read the notify socket");
        if (size < 0) return std::nullopt;
        return std::string(buffer, static_cast<std::size_t>(size));
    }

    Fd socket_;
};

}  // namespace nodeagent::fakes
