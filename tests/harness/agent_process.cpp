#include "tests/harness/agent_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace nodeagent::harness {

namespace {

double smaps_mib(pid_t pid, const std::string& key) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key)) return std::stod(line.substr(key.size())) / 1024.0;
    }
    return 0;
}

}  // namespace

AgentProcess::AgentProcess(std::string binary, std::string endpoint, std::string directory, std::string docker_host,
                           std::vector<std::string> extra) {
    // execve takes the first of a repeated name, as getenv does
    std::vector<std::string> environment = std::move(extra);
    for (const std::string& entry :
         {"PATH=" + std::string(std::getenv("PATH")), std::string("ECS_CLUSTER=bench"), "ECS_BACKEND_HOST=" + endpoint,
          std::string("AWS_EC2_METADATA_DISABLED=true"), std::string("AWS_DEFAULT_REGION=us-west-2"),
          std::string("AWS_ACCESS_KEY_ID=bench"), std::string("AWS_SECRET_ACCESS_KEY=bench"),
          "ECS_DATADIR=" + directory, "ECS_AUDIT_LOGFILE=" + directory + "/audit.log",
          "ECS_CONTROL_SOCKET=" + directory + "/control.sock", std::string("ECS_ENABLE_TASK_IAM_ROLE=true"),
          std::string("ECS_IMAGE_PULL_BEHAVIOR=prefer-cached"),
          std::string("ECS_TASK_METADATA_RPS_LIMIT=1000000,1000000"), "DOCKER_HOST=" + docker_host}) {
        environment.push_back(entry);
    }
    executed_at_ = std::chrono::steady_clock::now();
    pid_ = ::fork();
    if (pid_ == 0) {
        const int log = ::open((directory + "/agent.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(log, STDOUT_FILENO);
        ::dup2(log, STDERR_FILENO);
        std::vector<char*> entries;
        for (const std::string& entry : environment) entries.push_back(const_cast<char*>(entry.c_str()));
        entries.push_back(nullptr);
        char* arguments[] = {const_cast<char*>(binary.c_str()), nullptr};
        ::execve(binary.c_str(), arguments, entries.data());
        ::_exit(127);
    }
}

AgentProcess::~AgentProcess() { finish(SIGTERM); }

int AgentProcess::finish(int signal) {
    if (pid_ <= 0) return -1;
    if (signal != 0) ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::chrono::nanoseconds AgentProcess::cpu_time() const {
    std::chrono::nanoseconds total{0};
    std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string field;
    long ticks = 0;
    for (int i = 0; i < 13 && fields >> field; ++i) {
        if (i == 11 || i == 12) ticks += std::stol(field);
    }
    total += std::chrono::nanoseconds(ticks * (1'000'000'000 / ::sysconf(_SC_CLK_TCK)));
    return total;
}

double AgentProcess::resident_mib() const { return smaps_mib(pid_, "Rss:"); }
double AgentProcess::proportional_mib() const { return smaps_mib(pid_, "Pss:"); }

}  // namespace nodeagent::harness
