#include "agent/cli/logs/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace nodeagent::cli {

namespace {
constexpr std::size_t kWriteAt = 64U << 10U;
}

LogOutput::LogOutput(int out, int err)
    : out_(out), err_(err), out_terminal_(::isatty(out) != 0), err_terminal_(::isatty(err) != 0) {}

void LogOutput::write_now(int to, std::string_view text) {
    while (!text.empty()) {
        const ssize_t done = ::write(to, text.data(), text.size());
        if (done >= 0) {
            text.remove_prefix(static_cast<std::size_t>(done));
        } else if (errno == EAGAIN) {
            pollfd wanted{.fd = to, .events = POLLOUT, .revents = 0};
            (void)::poll(&wanted, 1, -1);
        } else if (errno == EPIPE) {
            ::_exit(kPipeClosed);
        } else if (errno != EINTR) {
            (void)std::fprintf(stderr, "ecs-node: write the log: %s\n", std::strerror(errno));
            ::_exit(1);
        }
    }
}

void LogOutput::write(bool error, std::string_view text) {
    if (error != waiting_is_error_) flush();
    waiting_is_error_ = error;
    waiting_ += text;
    if (waiting_.size() >= kWriteAt) flush();
}

void LogOutput::flush() {
    write_now(waiting_is_error_ ? err_ : out_, waiting_);
    waiting_.clear();
}

bool LogOutput::reader_gone() const {
    pollfd asked{.fd = out_, .events = 0, .revents = 0};
    return ::poll(&asked, 1, 0) > 0 && (asked.revents & POLLERR) != 0;
}

}  // namespace nodeagent::cli
