#include "tests/harness/await_file.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "agent/base/fd.hpp"

namespace nodeagent::harness {

bool await_file(const std::string& path, std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    const Fd changes(::inotify_init1(IN_CLOEXEC));
    const std::string folder = std::filesystem::path(path).parent_path();
    if (::inotify_add_watch(changes.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO) < 0) return false;
    while (!std::filesystem::exists(path)) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd wanted{.fd = changes.get(), .events = POLLIN, .revents = 0};
        if (::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) <= 0) return false;
        std::array<char, 4096> seen{};
        if (::read(changes.get(), seen.data(), seen.size()) <= 0) return false;
    }
    return true;
}

}  // namespace nodeagent::harness
