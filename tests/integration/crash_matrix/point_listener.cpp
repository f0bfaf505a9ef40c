#include "tests/integration/crash_matrix/point_listener.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace nodeagent::crash_matrix {

PointListener::PointListener(std::string path)
    : path_(std::move(path)), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path) throw std::runtime_error("socket path too long: " + path_);
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 4) != 0) {
        throw std::runtime_error("cannot listen at " + path_ + ": " + std::strerror(errno));
    }
}

PointListener::~PointListener() { ::unlink(path_.c_str()); }

bool PointListener::arrived() {
    if (connection_) return false;
    connection_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    return static_cast<bool>(connection_);
}

void PointListener::answer(const std::string& text) {
    const std::string line = text + '\n';
    if (!text.empty()) (void)!::write(connection_.get(), line.data(), line.size());
    ::shutdown(connection_.get(), SHUT_RDWR);
}

}  // namespace nodeagent::crash_matrix
