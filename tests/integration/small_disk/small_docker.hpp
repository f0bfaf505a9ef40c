#pragma once
// A Docker daemon of the test's own whose data lie on a small filesystem in memory. Needs root. Stopped by its process
// id, and the filesystem with it.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/base/fd.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent {

class SmallDocker {
  public:
    explicit SmallDocker(int mebibytes) {
        std::filesystem::create_directories(data());
        const std::string size = "size=" + std::to_string(mebibytes) + "m,mode=0711";
        if (::mount("tmpfs", data().c_str(), "tmpfs", 0, size.c_str()) != 0) {
            throw std::runtime_error("a tmpfs cannot be mounted: run this test as root");
        }
        start();
        ::setenv("NODEAGENT_TEST_DOCKER", ("unix://" + socket()).c_str(), 1);
    }
    ~SmallDocker() {
        ::kill(process_, SIGTERM);
        ::waitpid(process_, nullptr, 0);
        ::umount2(data().c_str(), MNT_DETACH);
        (void)std::system((std::string("ip link del ") + kBridge + " 2>/dev/null").c_str());
    }
    SmallDocker(const SmallDocker&) = delete;
    SmallDocker& operator=(const SmallDocker&) = delete;

    [[nodiscard]] std::string data() const { return folder_ + "/data"; }
    /// Takes all space but so much, until the next call.
    void leave_free(std::uintmax_t bytes) const {
        const std::string filler = data() + "/filler";
        std::filesystem::remove(filler);
        const std::uintmax_t free = std::filesystem::space(data()).available;
        if (free <= bytes) return;
        std::ofstream out(filler, std::ios::binary);
        const std::string block(64 * 1024, 'x');
        for (std::uintmax_t left = free - bytes; left >= block.size(); left -= block.size()) out << block;
    }

  private:
    [[nodiscard]] std::string socket() const { return folder_ + "/docker.sock"; }

    static constexpr const char* kBridge = "smalldisk0";
    void start() {
        (void)std::system((std::string("ip link add ") + kBridge + " type bridge 2>/dev/null").c_str());
        std::vector<std::string> words{
            "dockerd",         "--host",    "unix://" + socket(), "--data-root",      data(), "--exec-root",
            folder_ + "/exec", "--pidfile", folder_ + "/pid",     "--storage-driver", "vfs",  "--bridge",
            kBridge,  // with none, dockerd would remove docker0, which is another's
            "--iptables=false"};
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        for (const int output : {1, 2}) {
            ::posix_spawn_file_actions_addopen(&files, output, (folder_ + "/log").c_str(),
                                               O_WRONLY | O_CREAT | O_APPEND, 0600);
        }
        const int failed = ::posix_spawnp(&process_, "dockerd", &files, nullptr, arguments.data(), environ);
        ::posix_spawn_file_actions_destroy(&files);
        if (failed != 0) throw std::runtime_error("dockerd does not start: apt-get install docker.io");
        wait_until_it_listens();
    }
    void wait_until_it_listens() const {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        socket().copy(address.sun_path, sizeof address.sun_path - 1);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
        for (;;) {
            const Fd peer(::socket(AF_UNIX, SOCK_STREAM, 0));
            if (::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
            if (::waitpid(process_, nullptr, WNOHANG) != 0) throw std::runtime_error("dockerd has ended");
            if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("dockerd does not listen");
            boost::asio::io_context io;
            boost::asio::steady_timer(io, std::chrono::milliseconds(50)).wait();
        }
    }

    fakes::TempDirectory folder_;
    pid_t process_ = -1;
};

}  // namespace nodeagent
