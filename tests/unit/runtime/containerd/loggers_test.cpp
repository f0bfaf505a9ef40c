#include "runtime/containerd/loggers.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "agent/base/json.hpp"
#include "runtime/containerd/log_setup.hpp"
#include "runtime/logs/config.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::containerd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// The logging program is a script here: it tells what it was started with, and does with the spool what a test says.
class LoggersTest : public ::testing::Test {
  protected:
    LoggersTest() {
        options.data_dir = folder + "/data";
        options.run_dir = folder + "/run";
        options.logs.program = folder + "/program";
        options.logs.region = "eu-west-1";
        options.logs.route = [](const std::string& region, const std::string& endpoint) {
            return LogRoute{.endpoint = "https://logs." + region + endpoint, .proxy = "http://user:hunter2@proxy:3128"};
        };
        options.logs.agent_socket = "/run/agent.sock";
        EXPECT_EQ(::mkfifo((folder + "/told").c_str(), 0600), 0);
        fs::create_directories(options.run_dir + "/c1");
        fs::create_directories(data("c1") + "/log");
    }

    [[nodiscard]] std::string data(const std::string& id) const { return options.data_dir + "/containers/" + id; }
    [[nodiscard]] std::string kept(const std::string& id) const { return options.data_dir + "/unsent/" + id; }

    /// `work` sees the spool's folder as $spool.
    void program(const std::string& work) {
        {
            std::ofstream script(options.logs.program);
            script << "#!/bin/sh\n"
                   << R"x(spool=$(sed -n 's/.*"directory":"\([^"]*\)".*/\1/p' "$2"))x"
                   << "\n"
                   << work << "\n";
        }
        fs::permissions(options.logs.program, fs::perms::owner_all);
    }
    /// Waits for what the program writes to $told.
    std::string word() const {
        std::ifstream pipe(folder + "/told");
        std::string line;
        std::getline(pipe, line);
        return line;
    }
    [[nodiscard]] std::string told() const { return folder + "/told"; }

    /// As a container's start does it.
    void set_up(const std::string& id, const Json& log_options = {{"awslogs-group", "g"}, {"tag", "{{.Name}}-x"}}) {
        fs::create_directories(options.run_dir + "/" + id);
        fs::create_directories(data(id) + "/log");
        Container container;
        container.id = id;
        container.labels = {{"secret-label", "hunter3"}};
        container.spec = R"({"process":{"args":["serve","--password=hunter4"],"env":["KEY=hunter5"]}})";
        Creation creation;
        creation.name = "ecs-web-1-app-00";
        creation.host_config = {{"LogConfig", {{"Type", "awslogs"}, {"Config", log_options}}}};
        const auto streams = set_up_logs(options.logs, data(id), options.run_dir + "/" + id, container, creation);
        ASSERT_TRUE(streams) << streams.error().what;
    }
    static void leave(const std::string& where, std::size_t bytes, std::time_t age = 0) {
        const std::string path = where + "/log/0000000000000001.spool";
        std::ofstream(path) << std::string(bytes, 'x');
        const utimbuf times{.actime = std::time(nullptr) - age, .modtime = std::time(nullptr) - age};
        ASSERT_EQ(::utime(path.c_str(), &times), 0);
    }
    static std::string text_of(const std::string& path) {
        std::ifstream file(path);
        std::ostringstream out;
        out << file.rdbuf();
        return out.str();
    }
    LogFigures tend(Loggers& loggers) { return loggers.tend(std::chrono::system_clock::now()); }

    fakes::TempDirectory folder;
    Options options;
};

TEST_F(LoggersTest, WhatALoggerCouldNotSendIsSentAfterTheContainersEnd) {
    set_up("c1");
    leave(data("c1"), 1000);
    program("rm $spool/*.spool; echo $1 $3 >" + told());
    Loggers loggers(options);
    const LogFigures before = tend(loggers);
    EXPECT_EQ(before.unsent_logs, 1U);
    EXPECT_EQ(before.unsent_bytes, 1000U);
    EXPECT_EQ(word(), "config drain");
    EXPECT_EQ(tend(loggers).unsent_logs, 0U);
}

TEST_F(LoggersTest, TheLogOfARemovedContainerWaitsElsewhereAndGoesWhenItIsSent) {
    set_up("c1");
    leave(data("c1"), 1000);
    program("rm $spool/*.spool; cat \"$2\" >" + told());
    Loggers loggers(options);
    ASSERT_TRUE(loggers.retire("c1", data("c1")));
    EXPECT_FALSE(fs::exists(data("c1")));
    EXPECT_EQ(tend(loggers).unsent_bytes, 1000U);
    const auto config = logs::decode_config(word());
    ASSERT_TRUE(config);
    EXPECT_EQ(config->spool.directory, kept("c1") + "/log");
    EXPECT_EQ(config->options.at("awslogs-stream"), "ecs-web-1-app-00-x") << "the stream its logger wrote to";
    EXPECT_EQ(config->region, "eu-west-1");
    EXPECT_EQ(config->credentials.socket, "/run/agent.sock");
    EXPECT_EQ(config->endpoint, "https://logs.eu-west-1");
    EXPECT_EQ(config->proxy, "http://user:hunter2@proxy:3128");
    tend(loggers);
    EXPECT_FALSE(fs::exists(kept("c1")));
}

TEST_F(LoggersTest, AProgramThatSendsHoldsNothingOfTheAgents) {
    set_up("c1");
    leave(data("c1"), 1000);
    program("echo $(ls /proc/self/fd | wc -w) >" + told());
    const Fd port(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::dup2(port.get(), 20), 20);
    Loggers loggers(options);
    tend(loggers);
    ::close(20);
    // ls has its standard ones and the folder it reads
    EXPECT_EQ(word(), "4");
}

TEST_F(LoggersTest, WhatALoggerHadInMemoryAtItsEndCountsToo) {
    set_up("c1");
    std::ofstream(data("c1") + "/log/rest") << std::string(30, 'x');
    Loggers loggers(options);
    ASSERT_TRUE(loggers.retire("c1", data("c1")));
    EXPECT_EQ(tend(loggers).unsent_bytes, 30U);
}

TEST_F(LoggersTest, NothingThatMayBeSecretIsKeptOnDisk) {
    set_up("c1", {{"awslogs-group", "g"}, {"tag", "{{.Name}}"}, {"awslogs-credentials-endpoint", "/v2/credentials/1"}});
    const std::string text = text_of(data("c1") + "/log.json");
    EXPECT_THAT(text, HasSubstr("\"g\""));
    EXPECT_THAT(text, Not(HasSubstr("hunter")));
    struct ::stat about {};
    ASSERT_EQ(::stat((data("c1") + "/log.json").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST_F(LoggersTest, ARemovedContainerWhoseLogWasSentLeavesNothing) {
    set_up("c1");
    Loggers loggers(options);
    ASSERT_TRUE(loggers.retire("c1", data("c1")));
    EXPECT_FALSE(fs::exists(kept("c1")));
    EXPECT_TRUE(fs::exists(data("c1"))) << "whoever removes the container removes its folder";
}

TEST_F(LoggersTest, ASpoolThatALoggerWorksOnIsLeftToIt) {
    set_up("c1");
    leave(data("c1"), 1000);
    program("echo started >" + told());
    const Fd lock(::open((data("c1") + "/log/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
    std::ofstream(data("c1") + "/log-status.json")
        << R"({"state":"running","lines":7,"buffer_bytes":64,"pid":)" << ::getpid() << '}';
    Loggers loggers(options);
    const LogFigures figures = tend(loggers);
    EXPECT_EQ(figures.loggers, 1U);
    EXPECT_EQ(figures.lines, 7U);
    EXPECT_EQ(figures.buffer_bytes, 64U);
    EXPECT_EQ(figures.spool_bytes, 1000U);
    EXPECT_EQ(figures.unsent_logs, 0U);
    const Fd pipe(::open(told().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    char byte = 0;
    EXPECT_EQ(::read(pipe.get(), &byte, 1), 0) << "no program was started";
}

TEST_F(LoggersTest, AContainersOwnLoggerGoesFirst) {
    set_up("c1");
    leave(data("c1"), 1000);
    program("echo $$ >" + told() + "; exec sleep 1000");
    Loggers loggers(options);
    tend(loggers);
    const pid_t pid = std::stoi(word());
    ASSERT_EQ(::kill(pid, 0), 0);
    loggers.make_way("c1");
    EXPECT_NE(::kill(pid, 0), 0) << "it still works on the spool";
    EXPECT_EQ(tend(loggers).unsent_logs, 1U) << "none is started beside a container's start";
}

TEST_F(LoggersTest, WhatCloudWatchTakesNoMoreIsGivenUp) {
    set_up("c1");
    leave(data("c1"), 1000, 15 * 24 * 3600);
    program("exit 1");
    Loggers loggers(options);
    ASSERT_TRUE(loggers.retire("c1", data("c1")));
    EXPECT_EQ(tend(loggers).abandoned_bytes, 1000U);
    EXPECT_FALSE(fs::exists(kept("c1")));
}

TEST_F(LoggersTest, UnsentLogsOfRemovedContainersAreBoundedAndTheOldestGoFirst) {
    options.logs.spool_bytes = 1000;
    program("exit 1");
    Loggers loggers(options);
    for (int i = 0; i < 20; ++i) {
        const std::string id = "c" + std::to_string(i);
        set_up(id);
        leave(data(id), 1000, 100 + i);
        ASSERT_TRUE(loggers.retire(id, data(id)));
    }
    EXPECT_EQ(tend(loggers).abandoned_bytes, 4000U);
    EXPECT_TRUE(fs::exists(kept("c15")));
    EXPECT_FALSE(fs::exists(kept("c16")));
}

TEST_F(LoggersTest, ALoggerThatWasKilledDoesNotCountAsOneAtWork) {
    set_up("c1");
    const pid_t gone = ::fork();
    if (gone == 0) ::_exit(0);
    ASSERT_EQ(::waitpid(gone, nullptr, 0), gone);
    std::ofstream(data("c1") + "/log-status.json") << R"({"state":"running","buffer_bytes":64,"pid":)" << gone << '}';
    Loggers loggers(options);
    EXPECT_EQ(tend(loggers).loggers, 0U);
}

TEST_F(LoggersTest, AProgramThatHasSentAllLeavesNoDeadProcessBehind) {
    set_up("c1");
    leave(data("c1"), 1000);
    program("rm $spool/*.spool; echo $$ >" + told());
    Loggers loggers(options);
    tend(loggers);
    const pid_t pid = std::stoi(word());
    ASSERT_TRUE(loggers.retire("c1", data("c1")));  // nobody has waited for it yet
    siginfo_t ended{};
    ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT);
    tend(loggers);
    EXPECT_NE(::kill(pid, 0), 0) << "it is still in the process table";
}

TEST_F(LoggersTest, WithoutTheProgramLogsWait) {
    set_up("c1");
    leave(data("c1"), 1000);
    options.logs.program.clear();
    Loggers loggers(options);
    ASSERT_TRUE(loggers.retire("c1", data("c1")));
    EXPECT_EQ(tend(loggers).unsent_logs, 1U);
    EXPECT_TRUE(fs::exists(kept("c1")));
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
