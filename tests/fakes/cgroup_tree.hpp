#pragma once
// A cgroup file system of ordinary files in a temporary directory: new cgroups appear with the kernel's files in them
// and can be removed while nothing lives in them.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cgroups/cgroup.hpp"
#include "cgroups/hierarchy.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::fakes {

class CgroupTree final : public cgroups::DirectoryOps {
  public:
    explicit CgroupTree(cgroups::Version version) : version_(version) {
        if (version == cgroups::Version::V2) {
            for (const auto& [name, content] : files_of("")) put(name, content);
            put("cgroup.controllers", "cpuset cpu io memory pids\n");
            return;
        }
        for (const std::string controller : {"cpu", "cpuacct", "cpuset", "memory", "pids", "blkio", "freezer"}) {
            std::filesystem::create_directory(root_ + "/" + controller);
            for (const auto& [name, content] : files_of(controller)) put(controller + "/" + name, content);
        }
        put("cpuset/cpuset.cpus", "0-1\n");
        put("cpuset/cpuset.mems", "0\n");
    }
    CgroupTree(const CgroupTree&) = delete;
    CgroupTree& operator=(const CgroupTree&) = delete;

    [[nodiscard]] const std::string& root() const { return root_.path(); }
    [[nodiscard]] bool has(const std::string& path) const { return std::filesystem::exists(root_ + "/" + path); }
    [[nodiscard]] std::string content(const std::string& path) const {
        std::ifstream file(root_ + "/" + path);
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }
    void put(const std::string& path, const std::string& text) const { std::ofstream(root_ + "/" + path) << text; }

    int make(int parent, const char* name) override {
        if (DirectoryOps::make(parent, name) != 0) return -1;
        const std::string directory = path_of(parent) + "/" + name;
        const std::string inside = directory.substr(root().size() + 1);
        const std::string controller = version_ == cgroups::Version::V1 ? inside.substr(0, inside.find('/')) : "";
        for (const auto& [file, text] : files_of(controller)) put(inside + "/" + file, text);
        return 0;
    }

    int remove(int parent, const char* name) override {
        const std::string directory = path_of(parent) + "/" + name;
        if (!content(directory.substr(root().size() + 1) + "/cgroup.procs").empty()) {
            errno = EBUSY;
            return -1;
        }
        for (const auto& entry : std::filesystem::directory_iterator(directory)) {
            if (entry.is_regular_file()) std::filesystem::remove(entry.path());
        }
        return DirectoryOps::remove(parent, name);
    }

  private:
    static std::string path_of(int descriptor) {
        return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor)).string();
    }

    [[nodiscard]] std::map<std::string, std::string> files_of(const std::string& controller) const {
        std::map<std::string, std::string> files{{"cgroup.procs", ""}};
        if (version_ == cgroups::Version::V2) {
            files.insert({{"cgroup.controllers", "cpu io memory pids\n"},
                          {"cgroup.subtree_control", ""},
                          {"cpu.max", "max 100000\n"},
                          {"cpu.weight", "100\n"},
                          {"memory.max", "max\n"},
                          {"pids.max", "max\n"}});
        } else if (controller == "cpu") {
            files.insert({{"cpu.shares", "1024\n"}, {"cpu.cfs_period_us", "100000\n"}, {"cpu.cfs_quota_us", "-1\n"}});
        } else if (controller == "memory") {
            files.insert({{"memory.limit_in_bytes", "9223372036854771712\n"}, {"memory.use_hierarchy", "0\n"}});
        } else if (controller == "pids") {
            files.insert({{"pids.max", "max\n"}});
        } else if (controller == "cpuset") {
            files.insert({{"cpuset.cpus", "\n"}, {"cpuset.mems", "\n"}});
        }
        return files;
    }

    cgroups::Version version_;
    TempDirectory root_;
};

}  // namespace nodeagent::fakes
