#pragma once
// A docker-registry on a free port of loopback that wants a user and a password, unless it is told another way to know
// its users. Stopped by its process id.

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/base/fd.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::docker {

class Registry {
  public:
    static constexpr const char* kUser = "tester";
    static constexpr const char* kPassword = "open sesame";

    /// Everybody may do everything.
    struct Open {};

    Registry() {
        // bcrypt of kPassword
        std::ofstream(folder_ + "/htpasswd")
            << kUser << ":$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n";
        start("auth:\n  htpasswd:\n    realm: test\n    path: " + folder_.path() + "/htpasswd\n");
    }
    explicit Registry(Open) { start({}); }
    /// `auth` is that section of its configuration.
    explicit Registry(const std::string& auth) { start(auth); }
    ~Registry() {
        ::kill(process_, SIGTERM);
        ::waitpid(process_, nullptr, 0);
    }
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// Docker takes loopback addresses without TLS.
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  private:
    void start(const std::string& auth) {
        port_ = free_port();
        std::ofstream(folder_ + "/config.yml")
            << "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: " << folder_.path()
            << "/data\n"
            << "http:\n  addr: 127.0.0.1:" << port_ << "\n"
            << auth;
        std::string program = "docker-registry", verb = "serve", config = folder_ + "/config.yml";
        char* arguments[] = {program.data(), verb.data(), config.data(), nullptr};
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        for (const int output : {1, 2}) {
            ::posix_spawn_file_actions_addopen(&files, output, "/dev/null", O_WRONLY, 0);
        }
        const int failed = ::posix_spawnp(&process_, program.c_str(), &files, nullptr, arguments, environ);
        ::posix_spawn_file_actions_destroy(&files);
        if (failed != 0) throw std::runtime_error("docker-registry does not start: apt-get install docker-registry");
        wait_until_it_listens();
    }
    [[nodiscard]] sockaddr_in loopback(std::uint16_t port) const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    [[nodiscard]] std::uint16_t free_port() const {
        const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
            throw std::runtime_error("no free port");
        }
        return ntohs(address.sin_port);
    }
    void wait_until_it_listens() const {
        const sockaddr_in address = loopback(port_);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
        for (;;) {
            const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
            if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
            if (::waitpid(process_, nullptr, WNOHANG) != 0) throw std::runtime_error("docker-registry has ended");
            if (std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error("docker-registry does not listen");
            boost::asio::io_context io;
            boost::asio::steady_timer(io, std::chrono::milliseconds(20)).wait();
        }
    }

    fakes::TempDirectory folder_;
    std::uint16_t port_ = 0;
    pid_t process_ = -1;
};

}  // namespace nodeagent::runtime::docker
