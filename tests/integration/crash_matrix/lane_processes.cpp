#include "tests/integration/crash_matrix/lane_processes.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <stdexcept>

namespace nodeagent::crash_matrix {

namespace {

constexpr std::size_t kMostLanes = 16;

// what a signal handler may touch
std::array<std::atomic<pid_t>, kMostLanes> lanes{};
std::atomic<std::size_t> lane_count = 0;
std::atomic<int> received = 0;

void kill_lanes() {
    for (std::size_t i = 0; i < lane_count; ++i) ::kill(lanes[i], SIGKILL);
}

void on_signal(int number) {
    received = number;
    kill_lanes();
}

void set_handler(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
}

/// Outside the new namespace: waits for the lane inside, and takes it along.
[[noreturn]] void run_lane(const std::function<int()>& lane) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    set_handler(SIGINT, SIG_DFL);
    set_handler(SIGTERM, SIG_DFL);
    if (::unshare(CLONE_NEWPID) != 0) {
        std::perror("a PID namespace of its own for a lane (the matrix must run as root)");
        ::_exit(1);
    }
    const pid_t inside = ::fork();
    if (inside == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::_exit(lane());
    }
    set_handler(SIGINT, SIG_IGN);  // of a terminal: the matrix hears it too
    int status = 1;
    if (inside > 0) ::waitpid(inside, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

}  // namespace

void end_lanes_on_signals() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // a lane whose outer process was killed is waited for here
    set_handler(SIGINT, on_signal);
    set_handler(SIGTERM, on_signal);
}

int ending_signal() { return received; }

void start_lane_process(const std::function<int()>& lane) {
    if (lane_count == kMostLanes) throw std::runtime_error("too many lanes");
    const pid_t child = ::fork();
    if (child == 0) run_lane(lane);
    if (child < 0) throw std::runtime_error("no process for a lane");
    lanes[lane_count] = child;
    ++lane_count;
    if (received != 0) kill_lanes();  // it came before this lane was listed
}

void wait_for_lane_processes() {
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) continue;
    lane_count = 0;
}

}  // namespace nodeagent::crash_matrix
