// The end of the daemon while one of its threads has stopped.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <filesystem>
#include <future>
#include <thread>

#include "daemon_fixture.hpp"

namespace nodeagent::daemon_tests {
namespace {

/// The thread of that name; 0: there is none.
pid_t thread_of(pid_t process, const std::string& name) {
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
        std::ifstream file(thread.path() / "comm");
        std::string its_name;
        if (std::getline(file, its_name) && its_name == name) return std::stoi(thread.path().filename().string());
    }
    return 0;
}

/// Stops one thread of another process, as a debugger does.
bool hold(pid_t thread) {
    return ::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) == 0 &&
           ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 && ::waitpid(thread, nullptr, __WALL) == thread;
}

TEST_F(Daemon, EndsThoughTheThreadOfTelemetryIsHeld) {
    start({"ECS_CLOUDWATCH_METRICS=standard", "AWS_ENDPOINT_URL_CLOUDWATCH=http://127.0.0.1:9"});
    const pid_t agent = agent_->pid();
    const pid_t telemetry = thread_of(agent, "telemetry");
    ASSERT_GT(telemetry, 0);
    ASSERT_TRUE(hold(telemetry));
    std::promise<void> ended;
    std::thread limit([agent, end = ended.get_future()] {
        if (end.wait_for(15s) != std::future_status::ready) ::kill(agent, SIGKILL);
    });
    ::kill(agent, SIGTERM);
    ::waitpid(telemetry, nullptr, __WALL);  // a process whose thread is traced ends with that thread
    EXPECT_EQ(agent_->finish(0), 0);
    ended.set_value();
    limit.join();
}

}  // namespace
}  // namespace nodeagent::daemon_tests
