#include "runtime/containerd/network/bridge_rules.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "agent/base/fd.hpp"
#include "agent/base/strings.hpp"

extern char** environ;

namespace nodeagent::runtime::containerd {

namespace {

using Words = std::vector<std::string>;

/// Exit status of iptables; its own words go nowhere, a failed rule is named instead.
Result<int> iptables(Words words) {
    words.insert(words.begin(), {"iptables", "-w"});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    for (const int descriptor : {0, 1, 2}) posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_RDWR, 0);
    pid_t child = 0;
    const int failed = ::posix_spawnp(&child, "iptables", &files, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (failed == ENOENT) {
        return Error{.kind = ErrorKind::NotFound, .what = "iptables is missing; apt-get install iptables"};
    }
    if (failed != 0) return from_error_code("run iptables", {failed, std::generic_category()});
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

struct Rule {
    Words table;
    std::string chain;
    Words match;
    bool first = false;  ///< before others' rules
};

Words with(const Rule& rule, const char* verb) {
    Words words = rule.table;
    words.emplace_back(verb);
    words.push_back(rule.chain);
    words.insert(words.end(), rule.match.begin(), rule.match.end());
    return words;
}

std::vector<Rule> rules_of(const std::string& bridge, const std::string& subnet) {
    return {{{"-t", "nat"}, "POSTROUTING", {"-s", subnet, "!", "-o", bridge, "-j", "MASQUERADE"}, false},
            {{}, "FORWARD", {"-i", bridge, "-j", "ACCEPT"}, true},
            {{},
             "FORWARD",
             {"-o", bridge, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED,DNAT", "-j", "ACCEPT"},
             true}};
}

}  // namespace

Result<void> set_bridge_rules(const std::string& bridge, const std::string& subnet) {
    const Fd forwarding(::open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC));
    if (!forwarding || ::write(forwarding.get(), "1", 1) != 1) return from_errno("switch on net.ipv4.ip_forward");
    for (const Rule& rule : rules_of(bridge, subnet)) {
        const auto there = iptables(with(rule, "-C"));
        if (!there) return there.error();
        if (*there == 0) continue;
        const Words words = with(rule, rule.first ? "-I" : "-A");
        const auto added = iptables(words);
        if (!added) return added.error();
        if (*added != 0) {
            return Error{.kind = ErrorKind::Internal,
                         .what = "iptables " + join(words, " ") + " failed with status " + std::to_string(*added)};
        }
    }
    return {};
}

void remove_bridge_rules(const std::string& bridge, const std::string& subnet) {
    for (const Rule& rule : rules_of(bridge, subnet)) (void)iptables(with(rule, "-D"));
}

}  // namespace nodeagent::runtime::containerd
