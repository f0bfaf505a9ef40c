#include "runtime/containerd/network/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include "agent/base/fd.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using Deadline = std::chrono::steady_clock::time_point;

constexpr std::size_t kMaxErrors = 4096;

struct SpawnActions {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    SpawnActions() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
    }
    ~SpawnActions() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
    }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
};

/// A file in memory, so that a program which does not read cannot block us.
Result<Fd> input_file(const std::string& content) {
    Fd file(::memfd_create("input", MFD_CLOEXEC));
    if (!file) return from_errno("create its input");
    for (std::size_t done = 0; done < content.size();) {
        const ssize_t n = ::write(file.get(), content.data() + done, content.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return from_errno("write its input");
        done += static_cast<std::size_t>(n);
    }
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

int milliseconds_until(Deadline deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<long long>(left.count(), 0, 1'000'000));
}

struct OutputPipe {
    Fd reading;
    std::string* text = nullptr;
    std::size_t limit = 0;
    bool limit_is_error = false;
};

/// Reads from a pipe that has something; it is closed at its end.
Result<void> read_some(OutputPipe& pipe) {
    std::array<char, 16384> buffer{};
    const ssize_t n = ::read(pipe.reading.get(), buffer.data(), buffer.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (n < 0) return from_errno("read its output");
    if (n == 0) {
        pipe.reading.reset();
        return {};
    }
    const auto got = static_cast<std::size_t>(n);
    if (pipe.limit_is_error && pipe.text->size() + got > pipe.limit) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "it wrote more than " + std::to_string(pipe.limit) + " bytes"};
    }
    pipe.text->append(buffer.data(), std::min(got, pipe.limit - std::min(pipe.limit, pipe.text->size())));
    return {};
}

Result<void> read_both(OutputPipe& first, OutputPipe& second, Deadline deadline) {
    while (first.reading || second.reading) {
        std::array<pollfd, 2> wanted{{{.fd = first.reading.get(), .events = POLLIN, .revents = 0},
                                      {.fd = second.reading.get(), .events = POLLIN, .revents = 0}}};
        const int ready = ::poll(wanted.data(), wanted.size(), milliseconds_until(deadline));
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return from_errno("wait for its output");
        if (ready == 0) return Error{.kind = ErrorKind::Timeout, .what = "no end within the time it was given"};
        if (wanted[0].revents != 0) {
            if (auto read = read_some(first); !read) return read;
        }
        if (wanted[1].revents != 0) {
            if (auto read = read_some(second); !read) return read;
        }
    }
    return {};
}

/// Whether it ended by then.
bool ends_by(pid_t process, Deadline deadline, int& status) {
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    for (;;) {
        const pid_t ended = ::waitpid(process, &status, WNOHANG);
        if (ended == process) return true;
        if (ended < 0 && errno != EINTR) {  // somebody else waited for it
            status = 0;
            return true;
        }
        if (std::chrono::steady_clock::now() >= deadline) return false;
        if (handle) {
            pollfd wanted{.fd = handle.get(), .events = POLLIN, .revents = 0};
            (void)::poll(&wanted, 1, milliseconds_until(deadline));
        } else {  // Linux before 5.3
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    all.reserve(words.size() + 1);
    for (std::string& word : words) all.push_back(word.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace

Result<ProgramEnd> run_program(const ProgramRun& run) {
    const auto input = input_file(run.input);
    if (!input) return input.error();
    std::array<int, 2> output_ends{};
    if (::pipe2(output_ends.data(), O_CLOEXEC) != 0) return from_errno("create a pipe");
    ProgramEnd end;
    OutputPipe output{
        .reading = Fd(output_ends[0]), .text = &end.output, .limit = run.max_output, .limit_is_error = true};
    Fd output_writing(output_ends[1]);
    std::array<int, 2> error_ends{};
    if (::pipe2(error_ends.data(), O_CLOEXEC) != 0) return from_errno("create a pipe");
    OutputPipe errors{.reading = Fd(error_ends[0]), .text = &end.errors, .limit = kMaxErrors};
    Fd errors_writing(error_ends[1]);

    SpawnActions actions;
    ::posix_spawn_file_actions_adddup2(&actions.files, input->get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions.files, output_writing.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions.files, errors_writing.get(), STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions.files, 3);  // the agent's ports, above all
    // a group of its own, so that a timeout reaches its children, and signals as a program expects them
    sigset_t none;
    ::sigemptyset(&none);
    sigset_t usual;
    ::sigemptyset(&usual);
    ::sigaddset(&usual, SIGPIPE);
    ::posix_spawnattr_setflags(&actions.attributes,
                               POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawnattr_setpgroup(&actions.attributes, 0);
    ::posix_spawnattr_setsigmask(&actions.attributes, &none);
    ::posix_spawnattr_setsigdefault(&actions.attributes, &usual);

    std::vector<std::string> words{run.path};
    words.insert(words.end(), run.arguments.begin(), run.arguments.end());
    std::vector<std::string> variables = run.environment;
    pid_t process = 0;
    const int failure = ::posix_spawn(&process, run.path.c_str(), &actions.files, &actions.attributes,
                                      pointers(words).data(), pointers(variables).data());
    if (failure != 0) return from_error_code("start " + run.path, std::error_code(failure, std::generic_category()));
    output_writing.reset();
    errors_writing.reset();

    const Deadline deadline = std::chrono::steady_clock::now() + run.timeout;
    const auto read = read_both(output, errors, deadline);
    int status = 0;
    if (!read || !ends_by(process, deadline, status)) {
        ::kill(-process, SIGKILL);
        while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
        }
        if (!read) return with_context(run.path, read.error());
        return Error{.kind = ErrorKind::Timeout, .what = run.path + ": it closed its output but did not end"};
    }
    end.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return end;
}

std::string find_program(const std::string& name) {
    for (const char* folder : {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
        std::string path = folder + name;
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return {};
}

}  // namespace nodeagent::runtime::containerd
