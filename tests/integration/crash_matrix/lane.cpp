#include "tests/integration/crash_matrix/lane.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "agent/base/strings.hpp"
#include "tests/harness/docker_client.hpp"

namespace nodeagent::crash_matrix {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::uint16_t kRegistryPort = 5000;  // the namespace is ours
constexpr auto kDaemonLimit = 60s;

std::string tail(const std::string& path) {
    std::ifstream file(path);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

/// Of the daemon's own containerd; 0 when there is none.
pid_t containerd_pid(const std::string& directory) {
    std::ifstream file(directory + "/exec/containerd/containerd.pid");
    pid_t pid = 0;
    return file >> pid ? pid : 0;
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

/// Polls until `ready`, `limit` at most.
template <class Ready>
bool wait_until(Ready ready, std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!ready()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(20ms);
    }
    return true;
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

Lane::Lane(std::string directory) : directory_(std::move(directory)) {
    if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) fail("namespaces of its own");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("private mounts");
    if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) fail("a /proc of its own");
    shell("ip link set lo up", directory_ + "/setup.log");
    start_docker();
    start_registry();
    push_image();
}

Lane::~Lane() {
    if (dockerd_ > 0) {
        ::kill(dockerd_, SIGTERM);
        ::waitpid(dockerd_, nullptr, 0);
    }
    if (registry_ > 0) {
        ::kill(registry_, SIGTERM);
        ::waitpid(registry_, nullptr, 0);
    }
    // a containerd whose dockerd was killed may have been left by the next one
    if (const pid_t containerd = containerd_pid(directory_); containerd > 1) ::kill(containerd, SIGKILL);
    std::ifstream mounts("/proc/self/mounts");
    std::string device;
    std::string target;
    for (std::string line; std::getline(mounts, line);) {
        const auto begin = line.find(' ') + 1;
        target = line.substr(begin, line.find(' ', begin) - begin);
        if (target.starts_with(directory_ + "/")) ::umount2(target.c_str(), MNT_DETACH);
    }
}

void Lane::start_docker() {
    // live-restore: containers outlive the daemon, as they do where ECS hosts are set up to lose nothing
    dockerd_ = launch({"dockerd", "--host", "unix://" + docker_socket(), "--data-root", directory_ + "/data",
                       "--exec-root", directory_ + "/exec", "--pidfile", directory_ + "/docker.pid", "--live-restore"},
                      directory_ + "/dockerd.log");
    const bool answers = wait_until(
        [this] {
            if (::waitpid(dockerd_, nullptr, WNOHANG) == dockerd_) {
                dockerd_ = -1;
                throw std::runtime_error("dockerd has ended:\n" + tail(directory_ + "/dockerd.log"));
            }
            try {
                (void)docker("GET", "/_ping");
                return true;
            } catch (const std::exception&) {
                return false;
            }
        },
        kDaemonLimit);
    if (!answers) throw std::runtime_error("dockerd does not answer:\n" + tail(directory_ + "/dockerd.log"));
}

void Lane::kill_docker() {
    ::kill(dockerd_, SIGKILL);
    ::waitpid(dockerd_, nullptr, 0);
    dockerd_ = -1;
    // its containerd dies with it; the next dockerd takes one that is not reaped for a running one
    if (const pid_t containerd = containerd_pid(directory_); containerd > 1) {
        ::kill(containerd, SIGKILL);
        ::waitpid(containerd, nullptr, 0);
    }
}

void Lane::start_registry() {
    const std::string config = directory_ + "/registry.yml";
    std::ofstream(config) << "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: "
                          << directory_ << "/registry\nhttp:\n  addr: 127.0.0.1:" << kRegistryPort << "\n";
    registry_ = launch({"docker-registry", "serve", config}, directory_ + "/registry.log");
    const bool listens = wait_until(
        [] {
            boost::asio::io_context io;
            boost::asio::ip::tcp::socket socket(io);
            boost::system::error_code refused;
            socket.connect({boost::asio::ip::address_v4::loopback(), kRegistryPort}, refused);
            return !refused;
        },
        kDaemonLimit);
    if (!listens) throw std::runtime_error("docker-registry does not listen:\n" + tail(directory_ + "/registry.log"));
}

void Lane::push_image() {
    image_ = "127.0.0.1:" + std::to_string(kRegistryPort) + "/matrix:1";
    shell("export DOCKER_HOST=unix://" + docker_socket() +
              "; . " NODEAGENT_SOURCE "/packaging/common.sh; busybox_image " + image_ + "; docker push -q " + image_,
          directory_ + "/setup.log");
}

json Lane::docker(const std::string& method, const std::string& target) const {
    harness::DockerClient client(docker_socket());
    return client.call(method, target);
}

std::vector<json> Lane::events(double since) const {
    // one JSON document per line, so not for DockerClient::call
    const std::string out = directory_ + "/events.json";
    std::filesystem::remove(out);
    const auto until = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    char range[100];
    std::snprintf(range, sizeof range, "--since %.6f --until %.6f", since, until);
    shell("docker -H unix://" + docker_socket() + " events " + range + " --format '{{json .}}'", out);
    std::vector<json> found;
    std::ifstream file(out);
    for (std::string line; std::getline(file, line);) {
        json event = json::parse(line, nullptr, false);
        if (event.is_object()) found.push_back(std::move(event));
    }
    return found;
}

}  // namespace nodeagent::crash_matrix
