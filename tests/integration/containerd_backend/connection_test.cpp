// The way to the daemon's socket.

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "agent/base/fd.hpp"
#include "runtime/containerd/module.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/integration/containerd_backend/containerd_world.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using namespace std::chrono_literals;

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
}

/// A socket that takes connections at once and passes the first on to the daemon only when some time has gone by
/// without another one: a client that gave up and came again has not waited for its greeting.
class LateDaemon {
  public:
    LateDaemon(std::string own, std::string daemon, std::chrono::milliseconds late)
        : listening_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const sockaddr_un address = address_of(own);
        if (::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listening_.get(), 8) != 0) {
            throw std::runtime_error("no socket at " + own);
        }
        passing_ = std::jthread(
            [this, daemon = std::move(daemon), late](const std::stop_token& stop) { pass(stop, daemon, late); });
    }
    [[nodiscard]] bool asked_twice() const { return asked_twice_; }

  private:
    void pass(const std::stop_token& stop, const std::string& daemon, std::chrono::milliseconds late) {
        const Fd near(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        pollfd another{.fd = listening_.get(), .events = POLLIN, .revents = 0};
        asked_twice_ = ::poll(&another, 1, static_cast<int>(late.count())) != 0;
        const Fd far(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_un address = address_of(daemon);
        if (::connect(far.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
        std::array<pollfd, 2> ends{
            {{.fd = near.get(), .events = POLLIN, .revents = 0}, {.fd = far.get(), .events = POLLIN, .revents = 0}}};
        std::array<char, 65536> bytes{};
        while (!stop.stop_requested()) {
            if (::poll(ends.data(), ends.size(), 50) <= 0) continue;
            for (std::size_t from = 0; from < ends.size(); ++from) {
                if (ends[from].revents == 0) continue;
                const ssize_t got = ::recv(ends[from].fd, bytes.data(), bytes.size(), 0);
                if (got <= 0 ||
                    ::send(ends[1 - from].fd, bytes.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got)
                    return;
            }
        }
    }

    Fd listening_;
    std::atomic<bool> asked_twice_ = false;
    std::jthread passing_;  ///< last: it uses the others
};

TEST(ContainerdConnection, WaitsForADaemonThatGreetsLate) {
    const fakes::TempDirectory folder;
    LateDaemon daemon(folder + "/late.sock", containerd_socket(), 1500ms);
    const auto client = load_client({NODEAGENT_CONTAINERD_MODULE}, folder + "/late.sock", "late-greeting");
    ASSERT_TRUE(client) << client.error().what;
    const auto version = (*client)->version(20s);
    EXPECT_TRUE(version) << version.error().what;
    EXPECT_FALSE(daemon.asked_twice());
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
