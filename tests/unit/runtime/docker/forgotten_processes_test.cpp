#include "runtime/docker/forgotten_processes.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::docker {
namespace {

const std::string kId(64, 'a');
const std::string kOther = std::string(63, 'a') + "b";

/// A process that only waits, with the cgroups it shall seem to be in.
class Waiting {
  public:
    Waiting(const std::string& proc, const std::string& cgroups) : pid_(::fork()) {
        if (pid_ == 0) {
            for (;;) ::pause();
        }
        const std::string folder = proc + "/" + std::to_string(pid_);
        std::filesystem::create_directory(folder);
        std::ofstream(folder + "/cgroup") << cgroups;
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }
    /// The signal that ended it; SIGTERM, which this sends, when nothing else did before.
    int ends_by() {
        ::kill(pid_, SIGTERM);
        int status = 0;
        ::waitpid(pid_, &status, 0);
        return WTERMSIG(status);
    }

  private:
    pid_t pid_;
};

TEST(ForgottenProcesses, EveryProcessInTheContainersCgroupsIsKilledAndNoOther) {
    const fakes::TempDirectory proc;
    Waiting v1(proc.path(), "12:memory:/ecs/0123/" + kId + "\n1:cpu:/\n");
    Waiting v2(proc.path(), "0::/system.slice/docker-" + kId + ".scope\n");
    Waiting other(proc.path(), "12:memory:/ecs/0123/" + kOther + "\n");
    std::filesystem::create_directory(std::string(proc.path()) + "/self");
    EXPECT_EQ(kill_forgotten(kId, proc.path()), 2);
    EXPECT_EQ(v1.ends_by(), SIGKILL);
    EXPECT_EQ(v2.ends_by(), SIGKILL);
    EXPECT_EQ(other.ends_by(), SIGTERM);
}

TEST(ForgottenProcesses, WhatIsNoWholeIdMatchesNothing) {
    const fakes::TempDirectory proc;
    Waiting process(proc.path(), "0::/\n");
    for (const char* id : {"", "/", "web", "0"}) {
        EXPECT_EQ(kill_forgotten(id, proc.path()), 0) << id;
        EXPECT_FALSE(says_forgotten("task " + std::string(id) + ": already exists", id));
    }
    EXPECT_EQ(process.ends_by(), SIGTERM);
}

TEST(ForgottenProcesses, OnlyTheRefusalThatNamesTheContainerSaysSo) {
    EXPECT_TRUE(says_forgotten("Error response from daemon: task " + kId + ": already exists", kId));
    EXPECT_FALSE(says_forgotten("Error response from daemon: task " + kOther + ": already exists", kId));
    EXPECT_FALSE(says_forgotten("network " + kId + " not found", kId));
}

}  // namespace
}  // namespace nodeagent::runtime::docker
