#include "runtime/logs/pair.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace nodeagent::runtime::logs {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kSpawnEvery{1};

// Signals are blocked but in ppoll: nothing happens between a look at these and the wait.
volatile sig_atomic_t g_terminate = 0;
volatile sig_atomic_t g_child_changed = 0;
volatile sig_atomic_t g_parent_died = 0;

void on_signal(int number) {
    if (number == SIGTERM) g_terminate = 1;
    if (number == SIGCHLD) g_child_changed = 1;
    if (number == SIGUSR1) g_parent_died = 1;
}

timespec as_timespec(std::chrono::nanoseconds left) {
    left = std::max(left, std::chrono::nanoseconds::zero());
    return {.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000), .tv_nsec = left.count() % 1'000'000'000};
}

std::int64_t steady_nanoseconds() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Result<void> Pair::prepare_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int number : {SIGTERM, SIGCHLD, SIGUSR1}) {
        if (::sigaction(number, &action, nullptr) != 0) return from_errno("handle signals");
        sigaddset(&blocked, number);
    }
    for (const int number : {SIGINT, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
    if (::sigprocmask(SIG_SETMASK, &blocked, nullptr) != 0) return from_errno("block signals");
    return {};
}

Pair::Pair(SharedState& state, Work work)
    : state_(state),
      work_(std::move(work)),
      reader_bell_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      sender_bell_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

int Pair::bell() const { return role_ == Role::Reader ? reader_bell_.get() : sender_bell_.get(); }

void Pair::quiet() const {
    std::uint64_t rings = 0;
    [[maybe_unused]] const ssize_t got = ::read(bell(), &rings, sizeof rings);
}

void Pair::wake_partner() const {
    const std::uint64_t one = 1;
    const int bell = role_ == Role::Reader ? sender_bell_.get() : reader_bell_.get();
    [[maybe_unused]] const ssize_t told = ::write(bell, &one, sizeof one);
}

int Pair::run() {
    spawn();
    return work_.reader(*this);
}

void Pair::spawn() {
    spawned_ = steady_clock::now();
    const pid_t me = ::getpid();
    const pid_t child = ::fork();
    if (child > 0) {
        partner_ = child;
        partner_is_parent_ = false;
        return;
    }
    if (child < 0) {
        partner_ = -1;  // out of processes or memory: tried again in a second
        return;
    }
    role_ = role_ == Role::Reader ? Role::Sender : Role::Reader;
    partner_ = me;
    partner_is_parent_ = true;
    g_terminate = 0;
    g_child_changed = 0;
    g_parent_died = 0;
    ::prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (::getppid() != me) g_parent_died = 1;
    if (forget) forget();
    ::_exit(role_ == Role::Reader ? work_.reader(*this) : work_.sender(*this));
}

void Pair::attend() {
    if (g_child_changed != 0) {
        g_child_changed = 0;
        int status = 0;
        while (true) {
            const pid_t gone = ::waitpid(-1, &status, WNOHANG);
            if (gone <= 0) break;
            if (gone == partner_ && !partner_is_parent_) partner_ = -1;
        }
    }
    if (g_parent_died != 0) {
        g_parent_died = 0;
        if (partner_is_parent_) {
            partner_ = -1;
            // SIGTERM will not come any more
            state_.adopted = 1;
        }
    }
    if (partner_ > 0 || state_.finished != 0 || over()) return;
    if (steady_clock::now() - spawned_ < kSpawnEvery) return;
    ++state_.counts.restarts;
    spawn();
}

bool Pair::wait_any(pollfd* fds, unsigned long count, Monotonic until) {
    sigset_t none;
    sigemptyset(&none);
    while (true) {
        attend();
        if (g_terminate != 0 && !stop_seen_) return false;
        Monotonic wake = until;
        if (partner_ <= 0 && state_.finished == 0) wake = std::min(wake, spawned_ + kSpawnEvery);
        if (const std::int64_t deadline = state_.deadline; deadline != 0) {
            wake = std::min(wake, Monotonic(std::chrono::nanoseconds(deadline)));
        }
        const auto now = steady_clock::now();
        const timespec left = as_timespec(wake - now);
        const int ready = ::ppoll(fds, count, &left, &none);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
        if (steady_clock::now() >= until || over()) {
            attend();
            return false;
        }
    }
}

bool Pair::wait(int fd, short events, Monotonic until) {
    pollfd one{.fd = fd, .events = events, .revents = 0};
    return wait_any(&one, 1, until);
}

bool Pair::over() const {
    const std::int64_t deadline = state_.deadline;
    return deadline != 0 && steady_nanoseconds() >= deadline;
}

bool Pair::told_to_stop() {
    if (g_terminate == 0 || stop_seen_) return false;
    stop_seen_ = true;
    return true;
}

void Pair::end_in(std::chrono::nanoseconds grace) {
    const std::int64_t deadline = steady_nanoseconds() + grace.count();
    if (state_.deadline == 0 || deadline < state_.deadline) state_.deadline = deadline;
}

}  // namespace nodeagent::runtime::logs
