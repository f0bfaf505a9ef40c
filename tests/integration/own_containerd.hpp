#pragma once
// A containerd that a test may kill, and whose host it may "restart".

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent {

class OwnContainerd {
  public:
    explicit OwnContainerd(std::string folder) : folder_(std::move(folder)) {
        std::filesystem::create_directories(folder_);
        std::ofstream config(folder_ + "/config.toml");
        config << "version = 2\nroot = \"" << folder_ << "/root\"\nstate = \"" << folder_ << "/state\"\n"
               << "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n  address = \"" << socket() << "\"\n";
        config.close();
        start();
    }
    ~OwnContainerd() {
        stop(SIGTERM);
        kill_shims();
        unmount_all(folder_ + "/");
    }
    OwnContainerd(const OwnContainerd&) = delete;
    OwnContainerd& operator=(const OwnContainerd&) = delete;

    [[nodiscard]] std::string socket() const { return folder_ + "/containerd.sock"; }
    void stop(int signal) {
        if (pid_ <= 0) return;
        ::kill(pid_, signal);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    void start() {
        pid_ = ::fork();
        if (pid_ == 0) {
            const int log = ::open((folder_ + "/containerd.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            ::dup2(log, STDOUT_FILENO);
            ::dup2(log, STDERR_FILENO);
            const std::string config = folder_ + "/config.toml";
            ::execlp("containerd", "containerd", "--config", config.c_str(), nullptr);
            ::_exit(127);
        }
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!answers()) {
            const bool ended = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
            if (ended) pid_ = -1;
            if (ended || std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error("containerd did not start: see " + folder_ + "/containerd.log");
            std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it tells nobody when it is ready
        }
    }
    /// Whatever ran is gone, and so is all that was in memory; the disk is as it was. `memory`: further folders of it.
    void restart_machine(const std::vector<std::string>& memory) {
        stop(SIGKILL);
        kill_shims();
        std::vector<std::string> all = memory;
        all.push_back(folder_ + "/state");
        for (const std::string& folder : all) {
            unmount_all(folder + "/");
            unmount_all(folder);
            std::filesystem::remove_all(folder);
        }
        start();
    }

  private:
    [[nodiscard]] bool answers() const {
        boost::asio::io_context io;
        boost::asio::local::stream_protocol::socket connection(io);
        boost::system::error_code failed;
        connection.connect(boost::asio::local::stream_protocol::endpoint(socket()), failed);
        return !failed;
    }
    static std::vector<std::string> words(const std::string& file, char between) {
        const auto text = read_file(file);
        std::vector<std::string> out;
        if (!text) return out;
        for (const std::string_view word : split(*text, between)) out.emplace_back(word);
        return out;
    }
    /// Shims with this daemon's address, and everything below them.
    void kill_shims() const {
        std::vector<pid_t> doomed;
        std::vector<std::pair<pid_t, pid_t>> parents;
        for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
            const auto pid = parse_integer(entry.path().filename().string());
            if (!pid) continue;
            const auto line = words(entry.path().string() + "/cmdline", '\0');
            const auto stat = words(entry.path().string() + "/stat", ' ');
            if (std::find(line.begin(), line.end(), socket()) != line.end()) doomed.push_back(static_cast<pid_t>(*pid));
            if (stat.size() > 3) {
                parents.emplace_back(static_cast<pid_t>(*pid), static_cast<pid_t>(parse_integer(stat[3]).value_or(0)));
            }
        }
        for (std::size_t i = 0; i < doomed.size(); ++i) {
            for (const auto& [child, parent] : parents) {
                if (parent == doomed[i]) doomed.push_back(child);
            }
        }
        for (const pid_t pid : doomed) ::kill(pid, SIGKILL);
        for (const pid_t pid : doomed) {
            while (running(pid)) std::this_thread::sleep_for(std::chrono::milliseconds(5));  // no child of ours
        }
    }
    static bool running(pid_t pid) {
        const auto stat = words("/proc/" + std::to_string(pid) + "/stat", ' ');
        return stat.size() > 2 && stat[2] != "Z" && stat[2] != "X";
    }
    static void unmount_all(const std::string& begin) {
        for (const std::string& line : words("/proc/self/mounts", '\n')) {
            const auto parts = split(line, ' ');
            const bool is_folder = !begin.ends_with('/');
            if (parts.size() < 2 || (is_folder ? parts[1] != begin : !parts[1].starts_with(begin))) continue;
            ::umount2(std::string(parts[1]).c_str(), MNT_DETACH);
        }
    }

    std::string folder_;
    pid_t pid_ = -1;
};

}  // namespace nodeagent
