#include "runtime/containerd/network/packet_filter.hpp"

#include "agent/base/strings.hpp"
#include "runtime/containerd/network/program.hpp"

namespace nodeagent::runtime::containerd {

namespace {

Result<std::string> run_filter(const std::string& name, std::vector<std::string> arguments, const std::string& input) {
    const std::string path = find_program(name);
    if (path.empty()) return Error{.kind = ErrorKind::NotFound, .what = name + " not found: apt-get install iptables"};
    auto end = run_program({.path = path,
                            .arguments = std::move(arguments),
                            .environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                            .input = input,
                            .timeout = std::chrono::seconds(30),
                            .max_output = 16U << 20U});
    if (!end) return end.error();
    if (end->status != 0) {
        return Error{.kind = ErrorKind::Unavailable,
                     .what = name + ": " + truncated(valid_utf8(trimmed(end->errors)), 1024)};
    }
    return std::move(end->output);
}

}  // namespace

Result<std::string> PacketFilter::saved() {
    const std::lock_guard one(mutex_);
    return run_filter("iptables-save", {}, {});
}

Result<void> PacketFilter::change(const std::string& commands) {
    if (commands.empty()) return {};
    const std::lock_guard one(mutex_);
    const auto done = run_filter("iptables-restore", {"--noflush", "--wait", "10"}, commands);
    if (!done) return done.error();
    return {};
}

Result<void> PacketFilter::make_chain(const std::string& name) {
    const std::lock_guard one(mutex_);
    const auto done = run_filter("iptables", {"--wait", "10", "-N", name}, {});
    if (!done && done.error().what.find("exists") == std::string::npos) return done.error();
    return {};
}

}  // namespace nodeagent::runtime::containerd
