#include "agent/host_setup/filter_tables.hpp"

#include <chrono>
#include <vector>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/network/program.hpp"

namespace nodeagent::host_setup {

namespace {

using runtime::containerd::find_program;
using runtime::containerd::run_program;

Result<std::string> run_tables(const std::string& name, std::vector<std::string> arguments, const std::string& input) {
    const std::string path = find_program(name);
    if (path.empty()) {
        return Error{.kind = ErrorKind::NotFound,
                     .what = name +
                             " not found: apt-get install iptables. Until then the host lacks its packet filter "
                             "rules: tasks get no credentials, and port 51678 is open to the network"};
    }
    auto end = run_program({.path = path,
                            .arguments = std::move(arguments),
                            .environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                            .input = input,
                            .timeout = std::chrono::seconds(30),
                            .max_output = 16U << 20U});
    if (!end) return end.error();
    if (end->status != 0) {
        std::string said = truncated(valid_utf8(trimmed(end->errors)), 1024);
        if (said.empty()) said = "exit status " + std::to_string(end->status);
        return Error{.kind = ErrorKind::Unavailable, .what = name + ": " + said};
    }
    return std::move(end->output);
}

/// The legacy program makes tables by looking at them, so it is only asked where the kernel has some.
bool has_legacy_tables(Family family) {
    const auto names = read_file(family == Family::Ipv4 ? "/proc/thread-self/net/ip_tables_names"
                                                        : "/proc/thread-self/net/ip6_tables_names");
    return names && !trimmed(*names).empty();
}

void look_at_other_kind(Family family, const std::string& own_kind, Present& present) {
    const std::string other = own_kind == "nft" ? "legacy" : "nft";
    if (other == "legacy" && !has_legacy_tables(family)) return;
    const std::string program = std::string(program_of(family)) + "-" + other + "-save";
    if (find_program(program).empty()) return;
    const auto saved = run_tables(program, {}, {});
    if (!saved) return;
    present.other_kind = other;
    present.other_tables[family] = read_saved(*saved);
}

}  // namespace

std::string kind_of_iptables(std::string_view version) {
    return version.find("nf_tables") == std::string_view::npos ? "legacy" : "nft";
}

void look_at_tables(bool ipv6, Present& present) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        if (family == Family::Ipv6 && !ipv6) continue;
        const std::string program(program_of(family));
        const auto version = run_tables(program, {"--version"}, {});
        const auto saved = version ? run_tables(program + "-save", {}, {}) : Result<std::string>(version.error());
        if (!saved) {
            present.unreadable[family] = saved.error().what;
            continue;
        }
        present.tables[family] = read_saved(*saved);
        look_at_other_kind(family, kind_of_iptables(*version), present);
    }
}

Result<void> change_tables(const FilterChange& change) {
    const std::string program = std::string(program_of(change.family)) + "-restore";
    auto done = run_tables(program, {"--noflush", "--wait", "10"}, change.commands);
    if (done) return {};
    if (done.error().kind == ErrorKind::NotFound) return done.error();
    return Error{.kind = ErrorKind::Conflict, .what = done.error().what + " (table " + change.table + ")"};
}

}  // namespace nodeagent::host_setup
