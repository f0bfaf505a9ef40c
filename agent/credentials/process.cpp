#include "agent/credentials/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <thread>

#include "agent/base/fd.hpp"

extern char** environ;

namespace nodeagent::credentials {

namespace {

constexpr std::size_t kMaxOutput = 64U << 10U;

struct Actions {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    Actions() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
    }
    ~Actions() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
    }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
};

/// The exit status; nothing when the process had to be killed at the deadline.
std::optional<int> wait_until(pid_t process, std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        int status = 0;
        const pid_t ended = ::waitpid(process, &status, WNOHANG);
        if (ended == process) return status;
        if (ended < 0 && errno != EINTR) return std::nullopt;
        if (std::chrono::steady_clock::now() >= deadline) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    ::kill(-process, SIGKILL);
    while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
    }
    return std::nullopt;
}

Result<std::string> read_until(const Fd& pipe, std::chrono::steady_clock::time_point deadline) {
    std::string output;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd wanted{.fd = pipe.get(), .events = POLLIN, .revents = 0};
        const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<long long>(0, left.count())));
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return from_errno("wait for its output");
        if (ready == 0) return Error{.kind = ErrorKind::Timeout, .what = "no end within the time it was given"};
        const ssize_t n = ::read(pipe.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return from_errno("read its output");
        if (n == 0) return output;
        output.append(buffer.data(), static_cast<std::size_t>(n));
        if (output.size() > kMaxOutput) return Error{.kind = ErrorKind::Malformed, .what = "it wrote more than 64 KiB"};
    }
}

}  // namespace

Result<std::string> output_of(const std::string& command, std::chrono::milliseconds timeout) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return from_errno("create a pipe");
    const Fd reading(ends[0]);
    Fd writing(ends[1]);

    Actions actions;
    ::posix_spawn_file_actions_addopen(&actions.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions.files, writing.get(), STDOUT_FILENO);
    ::posix_spawnattr_setflags(&actions.attributes, POSIX_SPAWN_SETPGROUP);
    ::posix_spawnattr_setpgroup(&actions.attributes, 0);  // a group of its own, so that a timeout reaches its children
    std::string shell = "sh";
    std::string option = "-c";
    std::string script = command;
    const std::array<char*, 4> arguments{shell.data(), option.data(), script.data(), nullptr};
    pid_t process = 0;
    const int failure =
        ::posix_spawn(&process, "/bin/sh", &actions.files, &actions.attributes, arguments.data(), environ);
    if (failure != 0) return from_error_code("start /bin/sh", std::error_code(failure, std::generic_category()));
    writing.reset();

    const auto deadline = std::chrono::steady_clock::now() + timeout;
    Result<std::string> output = read_until(reading, deadline);
    if (!output) ::kill(-process, SIGKILL);
    const auto status = wait_until(process, deadline);
    if (!output) return output;
    if (!status) return Error{.kind = ErrorKind::Timeout, .what = "it closed its output but did not end"};
    if (WIFSIGNALED(*status)) {
        return Error{.kind = ErrorKind::Denied, .what = "it was killed by signal " + std::to_string(WTERMSIG(*status))};
    }
    if (WEXITSTATUS(*status) != 0) {
        return Error{.kind = ErrorKind::Denied, .what = "it exited with " + std::to_string(WEXITSTATUS(*status))};
    }
    return output;
}

}  // namespace nodeagent::credentials
