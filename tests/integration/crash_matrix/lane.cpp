#include "tests/integration/crash_matrix/lane.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "tests/integration/crash_matrix/lane_cgroups.hpp"
#include "tests/integration/crash_matrix/programs.hpp"

namespace nodeagent::crash_matrix {

namespace {

constexpr std::uint16_t kRegistryPort = 5000;  // the namespace is ours

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

}  // namespace

Lane::Lane(std::string directory, Runtime runtime, const std::string& cgroup)
    : directory_(std::move(directory)), runtime_(runtime) {
    if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) fail("namespaces of its own");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("private mounts");
    if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) fail("a /proc of its own");
    enter_own_cgroups(cgroup);
    // network namespaces, what the agent keeps of containers and sockets of shims are there
    if (runtime == Runtime::Containerd && ::mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0) {
        fail("a /run of its own");
    }
    shell("ip link set lo up", directory_ + "/setup.log");
    daemon_ = runtime == Runtime::Docker ? make_docker_daemon(directory_) : make_containerd_daemon(directory_);
    daemon_->start();
    start_registry();
    image_ = "127.0.0.1:" + std::to_string(kRegistryPort) + "/matrix:1";
    daemon_->push_image(image_);
}

Lane::~Lane() {
    daemon_.reset();
    end_program(registry_, SIGTERM);
    std::ifstream mounts("/proc/self/mounts");
    std::string target;
    for (std::string line; std::getline(mounts, line);) {
        const auto begin = line.find(' ') + 1;
        target = line.substr(begin, line.find(' ', begin) - begin);
        if (target.starts_with(directory_ + "/")) ::umount2(target.c_str(), MNT_DETACH);
    }
}

void Lane::start_registry() {
    const std::string config = directory_ + "/registry.yml", log = directory_ + "/registry.log";
    std::ofstream(config) << "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: "
                          << directory_ << "/registry\nhttp:\n  addr: 127.0.0.1:" << kRegistryPort << "\n";
    registry_ = launch({"docker-registry", "serve", config}, log);
    await_daemon(registry_, "docker-registry", log, [] {
        boost::asio::io_context io;
        boost::asio::ip::tcp::socket socket(io);
        boost::system::error_code refused;
        socket.connect({boost::asio::ip::address_v4::loopback(), kRegistryPort}, refused);
        return !refused;
    });
}

}  // namespace nodeagent::crash_matrix
