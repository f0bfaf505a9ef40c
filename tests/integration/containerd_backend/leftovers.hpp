#pragma once
// What of a world's containers is still on the host and in the daemon.

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/network/program.hpp"
#include "tests/integration/containerd_backend/containerd_world.hpp"

namespace nodeagent::runtime::containerd {

/// "" when it cannot be read.
inline std::string text_of(const std::string& file) {
    auto text = read_file(file);
    return text ? *std::move(text) : std::string();
}

inline std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) {
        names.push_back(entry.path().filename().string());
    }
    return names;
}

/// Processes whose command line has this word.
inline std::vector<pid_t> processes_with(const std::string& word) {
    std::vector<pid_t> found;
    for (const std::string& name : names_in("/proc")) {
        const auto pid = parse_integer(name);
        if (!pid || *pid == ::getpid()) continue;
        const auto line = read_file("/proc/" + name + "/cmdline");
        if (!line) continue;
        for (const std::string_view argument : split(*line, '\0')) {
            if (argument != word) continue;
            found.push_back(static_cast<pid_t>(*pid));
            break;
        }
    }
    return found;
}

inline std::string packet_filter_rules() {
    std::string rules;
    for (const char* table : {"nat", "filter"}) {
        const auto listed = run_program({.path = find_program("iptables-save"),
                                         .arguments = {"-t", table},
                                         .environment = {"PATH=/usr/sbin:/sbin"}});
        if (!listed || listed->status != 0) throw std::runtime_error("iptables-save failed");
        rules += listed->output;
    }
    return rules;
}

/// One line for each thing that a removed container left; `ids` are those that there were.
inline std::vector<std::string> leftovers(ContainerdWorld& world, const std::vector<std::string>& ids) {
    std::vector<std::string> left;
    const Options& options = world.options();
    const std::string ipam = options.network.folder + "/ipam/ecs";
    for (const std::string& folder : {options.data_dir + "/containers", options.run_dir, options.network.netns_folder,
                                      options.network.folder + "/attachments"}) {
        for (const std::string& name : names_in(folder)) left.push_back(folder + "/" + name);
    }
    for (const std::string& name : names_in(ipam)) {
        if (name.find_first_not_of("0123456789.") == std::string::npos) left.push_back(ipam + "/" + name);
    }
    const std::string rules = packet_filter_rules();
    for (const std::string& id : ids) {
        if (rules.find(id.substr(0, 12)) != std::string::npos) left.push_back("rules of " + id);
        for (const char* snapshotter : {"overlayfs", "native"}) {
            if (world.client().stat_snapshot(snapshotter, id)) left.push_back("snapshot " + id);
        }
    }
    if (const auto mounts = read_file("/proc/self/mounts")) {
        for (const std::string_view line : split(*mounts, '\n')) {
            if (line.find(options.run_dir + "/") != std::string_view::npos)
                left.push_back("mount " + std::string(line));
        }
    }
    const auto leases = world.client().list_leases();
    if (!leases) left.push_back("leases: " + leases.error().what);
    int of_roots = 0;
    for (const std::string& lease : leases ? *leases : std::vector<std::string>()) {
        // each agent has one of roots, which the next one deletes
        if (lease.starts_with("ecs-roots-") && ++of_roots <= world.agents()) continue;
        left.push_back("lease " + lease);
    }
    if (!processes_with(world.name_space()).empty()) left.emplace_back("a shim");
    return left;
}

}  // namespace nodeagent::runtime::containerd
