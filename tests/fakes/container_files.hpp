#pragma once
// Containers as the kernel shows them: a cgroup each in a CgroupTree and a process each in a proc of ordinary files.

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/fakes/cgroup_tree.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::fakes {

class ContainerFiles {
  public:
    ContainerFiles() : tree_(cgroups::Version::V2) {
        std::ofstream(proc_ + "/stat") << "cpu  100 0 0 0 0 0 0 0 0 0\n";
        make_process("self");
    }

    [[nodiscard]] const std::string& proc() const { return proc_.path(); }
    [[nodiscard]] cgroups::Hierarchy hierarchy() const {
        return *cgroups::detect_hierarchy(tree_.root(), cgroups::Driver::Cgroupfs);
    }

    /// Process `pid` in the cgroup of container `id`.
    void start(const std::string& id, int pid) {
        const std::string directory = tree_.root() + "/" + id;
        std::filesystem::create_directories(directory);
        const std::string process = make_process(std::to_string(pid));
        std::ofstream(process + "/cgroup") << "0::/" + id + "\n";
        uses(id, 0, 0);
        received(pid, 0);
    }
    void uses(const std::string& id, std::uint64_t cpu_us, std::uint64_t memory) {
        tree_.put(id + "/cpu.stat", "usage_usec " + std::to_string(cpu_us) + "\n");
        tree_.put(id + "/memory.current", std::to_string(memory) + "\n");
    }
    void received(int pid, std::uint64_t bytes) {
        std::ofstream(proc_ + "/" + std::to_string(pid) + "/net/dev") << "  eth0: " + std::to_string(bytes) + " 1\n";
    }
    void join_host_network(int pid) {
        const std::string own = proc_ + "/" + std::to_string(pid) + "/ns/net";
        std::filesystem::remove(own);
        std::filesystem::create_hard_link(proc_ + "/self/ns/net", own);
    }
    void end(const std::string& id, int pid) {
        std::filesystem::remove_all(tree_.root() + "/" + id);
        std::filesystem::remove_all(proc_ + "/" + std::to_string(pid));
    }

  private:
    std::string make_process(const std::string& name) const {
        std::string process = proc_ + "/" + name;
        std::filesystem::create_directories(process + "/net");
        std::filesystem::create_directories(process + "/ns");
        std::ofstream(process + "/ns/net") << "";
        return process;
    }
    CgroupTree tree_;
    TempDirectory proc_;
};

}  // namespace nodeagent::fakes
