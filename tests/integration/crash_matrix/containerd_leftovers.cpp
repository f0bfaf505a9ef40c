#include "tests/integration/crash_matrix/containerd_leftovers.hpp"

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/network/program.hpp"

namespace nodeagent::crash_matrix {

namespace {

namespace fs = std::filesystem;
namespace ctr = runtime::containerd;

constexpr const char* kRunDirectory = "/run/ecs-node-agent/ecs";
constexpr const char* kNetworkNamespaces = "/run/netns";
constexpr const char* kSnapshotter = "overlayfs";

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(folder, absent)) names.push_back(entry.path().filename().string());
    return names;
}

template <class T>
T asked(Result<T> answer) {
    if (!answer) throw std::runtime_error(answer.error().what);
    return *std::move(answer);
}

std::string packet_filter_rules() {
    std::string rules;
    for (const char* table : {"nat", "filter"}) {
        const auto listed = ctr::run_program({.path = ctr::find_program("iptables-save"),
                                              .arguments = {"-t", table},
                                              .environment = {"PATH=/usr/sbin:/sbin"}});
        if (!listed || listed->status != 0) throw std::runtime_error("iptables-save failed");
        rules += listed->output;
    }
    return rules;
}

/// A shim, a logging program, what a container runs: any but these. Not one that has ended and nobody waits for.
struct ProcessLeft {
    pid_t pid = 0;
    std::string program;
};
std::optional<ProcessLeft> process_left() {
    constexpr std::array<std::string_view, 4> kKnown{"crash_matrix", "containerd", "docker-registry", "ecs-node-agent"};
    for (const std::string& name : names_in("/proc")) {
        const auto pid = parse_integer(name);
        if (!pid) continue;
        const auto stat = read_file("/proc/" + name + "/stat");
        const auto command = read_file("/proc/" + name + "/cmdline");
        if (!stat || !command || command->empty()) continue;
        const std::string program = fs::path(command->substr(0, command->find('\0'))).filename().string();
        const char state = (*stat)[std::min(stat->rfind(')') + 2, stat->size() - 1)];
        if (state == 'Z' || state == 'X') continue;
        if (std::find(kKnown.begin(), kKnown.end(), program) != kKnown.end()) continue;
        return ProcessLeft{.pid = static_cast<pid_t>(*pid), .program = program};
    }
    return std::nullopt;
}

std::vector<std::string> mounts_left(const ContainerdPlaces& places) {
    std::vector<std::string> left;
    const auto mounts = read_file("/proc/self/mounts");
    if (!mounts) throw std::runtime_error(mounts.error().what);
    for (const std::string_view line : split(*mounts, '\n')) {
        const auto words = split(line, ' ');
        if (words.size() < 2) continue;
        for (const std::string& place :
             {std::string(kRunDirectory), std::string(kNetworkNamespaces), places.agent_data, places.state}) {
            if (words[1].starts_with(place + "/")) left.emplace_back(words[1]);
        }
    }
    return left;
}

/// What the agent's folders have of containers.
std::optional<std::string> file_left(const ContainerdPlaces& places) {
    for (const std::string& folder :
         {places.agent_data + "/containers", places.agent_data + "/volumes", places.agent_data + "/network/attachments",
          std::string(kRunDirectory), std::string(kNetworkNamespaces)}) {
        for (const std::string& name : names_in(folder)) return folder + "/" + name;
    }
    const std::string addresses = places.agent_data + "/network/ipam/ecs";
    for (const std::string& name : names_in(addresses)) {
        if (name.find_first_not_of("0123456789.") == std::string::npos) return addresses + "/" + name;
    }
    return std::nullopt;
}

/// Interfaces of containers on the bridge.
std::optional<std::string> interface_left() {
    for (const std::string& name : names_in("/sys/class/net")) {
        if (name.starts_with("veth")) return name;
    }
    return std::nullopt;
}

}  // namespace

std::string containerd_leftovers(const ContainerdPlaces& places) {
    for (const ctr::Container& one : asked(places.client->list_containers({}))) return "container " + one.id;
    for (const ctr::Process& one : asked(places.client->list_tasks())) return "task of container " + one.container_id;
    for (const ctr::SnapshotInfo& one : asked(places.client->list_snapshots(kSnapshotter))) {
        if (one.kind != ctr::SnapshotInfo::Kind::Committed) return "snapshot " + one.name;
    }
    // of roots there is one for as long as the agent lives; one of a pull that was killed expires
    int leases_of_roots = 0;
    for (const std::string& lease : asked(places.client->list_leases())) {
        if (lease.starts_with("ecs-roots-")) {
            if (++leases_of_roots > 1) return "lease " + lease;
        } else if (!places.agent_was_killed) {
            return "lease " + lease;
        }
    }
    if (const auto process = process_left()) return "process " + process->program + " " + std::to_string(process->pid);
    if (const auto file = file_left(places)) return *file;
    if (const auto interface = interface_left()) return "interface " + *interface;
    if (const auto mounts = mounts_left(places); !mounts.empty()) return "mount " + mounts.front();
    const std::string rules = packet_filter_rules();
    if (const auto rule = rules.find("-A ECS-DNAT "); rule != std::string::npos) {
        return "rule " + rules.substr(rule, rules.find('\n', rule) - rule);
    }
    return {};
}

void clear_containerd_leftovers(const ContainerdPlaces& places) {
    for (const ctr::Process& one : asked(places.client->list_tasks())) {
        (void)places.client->kill(one.container_id, {}, SIGKILL, true);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!places.client->delete_task(one.container_id) && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    }
    for (const ctr::Container& one : asked(places.client->list_containers({}))) {
        (void)places.client->delete_container(one.id);
    }
    for (const std::string& lease : asked(places.client->list_leases())) (void)places.client->delete_lease(lease);
    for (const ctr::SnapshotInfo& one : asked(places.client->list_snapshots(kSnapshotter))) {
        if (one.kind != ctr::SnapshotInfo::Kind::Committed)
            (void)places.client->remove_snapshot(kSnapshotter, one.name);
    }
    for (int tries = 0; tries < 100; ++tries) {
        const auto process = process_left();
        if (!process) break;
        ::kill(process->pid, SIGKILL);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    for (const std::string& mount : mounts_left(places)) ::umount2(mount.c_str(), MNT_DETACH);
    std::error_code ignored;
    for (const char* folder : {kRunDirectory, kNetworkNamespaces}) {
        for (const std::string& name : names_in(folder)) fs::remove_all(std::string(folder) + "/" + name, ignored);
    }
    (void)ctr::run_program({.path = ctr::find_program("iptables"),
                            .arguments = {"-w", "-t", "nat", "-F", "ECS-DNAT"},
                            .environment = {"PATH=/usr/sbin:/sbin"}});
}

}  // namespace nodeagent::crash_matrix
