#include "tests/integration/crash_matrix/programs.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <thread>

namespace nodeagent::crash_matrix {

namespace {

using namespace std::chrono_literals;

std::string tail(const std::string& path) {
    std::ifstream file(path);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

}  // namespace

pid_t launch(const std::vector<std::string>& arguments, const std::string& log) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    std::vector<char*> raw;
    for (const std::string& one : arguments) raw.push_back(const_cast<char*>(one.c_str()));
    raw.push_back(nullptr);
    ::execvp(raw.front(), raw.data());
    ::_exit(127);
}

void shell(const std::string& line, const std::string& log) {
    const pid_t child = launch({"bash", "-c", "set -e -o pipefail; " + line}, log);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) throw std::runtime_error(line + "\nfailed:\n" + tail(log));
}

void await_daemon(pid_t& daemon, const std::string& name, const std::string& log,
                  const std::function<bool()>& answers) {
    const auto deadline = std::chrono::steady_clock::now() + kDaemonLimit;
    while (!answers()) {
        if (::waitpid(daemon, nullptr, WNOHANG) == daemon) {
            daemon = -1;
            throw std::runtime_error(name + " has ended:\n" + tail(log));
        }
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error(name + " does not answer:\n" + tail(log));
        }
        std::this_thread::sleep_for(20ms);
    }
}

void end_program(pid_t& program, int signal) {
    if (program <= 0) return;
    ::kill(program, signal);
    ::waitpid(program, nullptr, 0);
    program = -1;
}

}  // namespace nodeagent::crash_matrix
