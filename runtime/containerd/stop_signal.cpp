#include "runtime/containerd/stop_signal.hpp"

#include <array>
#include <csignal>
#include <string>
#include <utility>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

// What the kernel calls them: the C library keeps 32 and 33 to itself and calls 34 the first.
constexpr int kFirstRealTime = 34;
constexpr int kLastRealTime = 64;

constexpr std::array<std::pair<std::string_view, int>, 34> kSignals{
    {{"hup", SIGHUP},   {"int", SIGINT},       {"quit", SIGQUIT},     {"ill", SIGILL},   {"trap", SIGTRAP},
     {"abrt", SIGABRT}, {"iot", SIGIOT},       {"bus", SIGBUS},       {"fpe", SIGFPE},   {"kill", SIGKILL},
     {"usr1", SIGUSR1}, {"segv", SIGSEGV},     {"usr2", SIGUSR2},     {"pipe", SIGPIPE}, {"alrm", SIGALRM},
     {"term", SIGTERM}, {"stkflt", SIGSTKFLT}, {"chld", SIGCHLD},     {"cld", SIGCHLD},  {"cont", SIGCONT},
     {"stop", SIGSTOP}, {"tstp", SIGTSTP},     {"ttin", SIGTTIN},     {"ttou", SIGTTOU}, {"urg", SIGURG},
     {"xcpu", SIGXCPU}, {"xfsz", SIGXFSZ},     {"vtalrm", SIGVTALRM}, {"prof", SIGPROF}, {"winch", SIGWINCH},
     {"io", SIGIO},     {"poll", SIGIO},       {"pwr", SIGPWR},       {"sys", SIGSYS}}};

std::optional<int> in_range(long long number) {
    if (number < 1 || number > kLastRealTime) return std::nullopt;
    return static_cast<int>(number);
}

}  // namespace

std::optional<int> signal_number(std::string_view name) {
    if (const auto number = parse_integer(name)) return in_range(*number);
    const std::string word = lower(name);
    std::string_view plain = word;
    if (plain.starts_with("sig")) plain.remove_prefix(3);
    for (const auto& [known, number] : kSignals) {
        if (plain == known) return number;
    }
    if (plain == "rtmin") return kFirstRealTime;
    if (plain == "rtmax") return kLastRealTime;
    if (plain.starts_with("rtmin+")) {
        const auto above = parse_integer(plain.substr(6));
        if (above && *above >= 0 && *above <= kLastRealTime - kFirstRealTime)
            return kFirstRealTime + static_cast<int>(*above);
    }
    if (plain.starts_with("rtmax-")) {
        const auto below = parse_integer(plain.substr(6));
        if (below && *below >= 0 && *below <= kLastRealTime - kFirstRealTime)
            return kLastRealTime - static_cast<int>(*below);
    }
    return std::nullopt;
}

}  // namespace nodeagent::runtime::containerd
