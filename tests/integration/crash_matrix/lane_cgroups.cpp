#include "tests/integration/crash_matrix/lane_cgroups.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::crash_matrix {

namespace {

namespace fs = std::filesystem;

struct Hierarchy {
    std::string place;
    std::string type;     ///< "cgroup", "cgroup2"
    std::string options;  ///< what mount(2) takes: "cpu,cpuacct", "name=systemd"
};

[[noreturn]] void cannot(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

std::vector<Hierarchy> hierarchies() {
    std::vector<Hierarchy> found;
    const auto mounts = read_file("/proc/self/mounts");
    if (!mounts) throw std::runtime_error(mounts.error().what);
    for (const std::string_view line : split(*mounts, '\n')) {
        const auto words = split(line, ' ');
        if (words.size() < 4 || (words[2] != "cgroup" && words[2] != "cgroup2")) continue;
        Hierarchy one{.place = std::string(words[1]), .type = std::string(words[2]), .options = {}};
        for (const std::string_view option : split(words[3], ',')) {
            const bool of_the_mount = option == "rw" || option == "ro" || option == "relatime" || option == "nosuid" ||
                                      option == "nodev" || option == "noexec";
            if (!of_the_mount) one.options += (one.options.empty() ? "" : ",") + std::string(option);
        }
        found.push_back(std::move(one));
    }
    return found;
}

void remove_tree(const fs::path& folder) {
    std::error_code ignored;
    std::vector<fs::path> children;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        if (entry.is_directory(ignored)) children.push_back(entry.path());
    }
    for (const fs::path& child : children) remove_tree(child);
    ::rmdir(folder.c_str());
}

}  // namespace

void enter_own_cgroups(const std::string& name) {
    const auto all = hierarchies();
    for (const Hierarchy& one : all) {
        const std::string own = one.place + "/" + name;
        std::error_code failed;
        fs::create_directory(own, failed);
        if (failed) throw std::runtime_error("make " + own + ": " + failed.message());
        for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {  // empty in a new one, and nothing may run then
            const auto value = read_file(one.place + "/" + file);
            if (value && one.type == "cgroup") std::ofstream(own + "/" + file) << *value;
        }
        std::ofstream processes(own + "/cgroup.procs");
        if (!(processes << "0" << std::flush)) cannot("enter " + own);
    }
    if (::unshare(CLONE_NEWCGROUP) != 0) cannot("a cgroup namespace");
    for (const Hierarchy& one : all) {
        if (::umount2(one.place.c_str(), MNT_DETACH) != 0) cannot("unmount " + one.place);
        const void* options = one.options.empty() || one.type == "cgroup2" ? nullptr : one.options.c_str();
        if (::mount("cgroup", one.place.c_str(), one.type.c_str(), MS_NOSUID | MS_NODEV | MS_NOEXEC, options) != 0) {
            cannot("mount " + one.place);
        }
    }
}

void remove_own_cgroups(const std::string& name) {
    for (const Hierarchy& one : hierarchies()) remove_tree(one.place + "/" + name);
}

}  // namespace nodeagent::crash_matrix
