#include "runtime/containerd/loggers.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <thread>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "runtime/containerd/log_setup.hpp"
#include "runtime/logs/config.hpp"
#include "runtime/logs/spool_files.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::size_t kAtOnce = 4;  ///< programs that send what is left
constexpr std::chrono::seconds kFirstPause{10};
constexpr std::chrono::minutes kLongestPause{10};
constexpr std::chrono::minutes kStartLasts{5};  ///< a container that starts has its logger by then
constexpr std::chrono::seconds kWayLimit{3};
/// CloudWatch Logs takes no older events.
constexpr auto kOldest = std::chrono::hours(14 * 24);
/// Of removed containers, in spools: more is not kept for them.
constexpr std::uint64_t kMostSpools = 16;

std::string spool_of(const std::string& folder) { return folder + "/log"; }

std::optional<logs::LoggerStatus> status_in(const std::string& folder) {
    const auto text = read_file(folder + "/log-status.json", 1U << 16U);
    if (!text) return std::nullopt;
    auto status = decode<logs::LoggerStatus>(*text);
    if (!status) return std::nullopt;
    return *std::move(status);
}

/// One that was killed, or went with the machine, has not told its end.
bool works(const logs::LoggerStatus& status) {
    return status.state == "running" && status.pid > 0 && ::kill(static_cast<pid_t>(status.pid), 0) == 0;
}

void remove_all(const std::string& folder) {
    std::error_code failed;
    std::filesystem::remove_all(folder, failed);
    if (failed) log::warn("a folder cannot be removed", {{"folder", folder}, {"cause", failed.message()}});
}

}  // namespace

Loggers::Loggers(const Options& options)
    : options_(options), kept_(options.data_dir + "/unsent"), sending_folder_(options.run_dir + "-sending") {}

Loggers::~Loggers() {
    for (const auto& [id, sending] : sending_) {
        if (sending.pid > 0) ::kill(sending.pid, SIGTERM);
    }
}

std::string Loggers::config_of(const std::string& id) const { return sending_folder_ + "/" + id + ".json"; }

void Loggers::forget(const std::string& id) {
    counts_.forget(id);
    if (const auto sending = sending_.find(id); sending != sending_.end()) sending->second.over = true;
}

void Loggers::reap() {
    for (auto entry = sending_.begin(); entry != sending_.end();) {
        auto& [id, sending] = *entry;
        if (sending.pid > 0 && ::waitpid(sending.pid, nullptr, WNOHANG) != 0) {
            sending.pid = 0;
            ::unlink(config_of(id).c_str());
        }
        entry = sending.over && sending.pid <= 0 ? sending_.erase(entry) : std::next(entry);
    }
}

void Loggers::make_way(const std::string& id) {
    const std::lock_guard<std::mutex> held(mutex_);
    Sending& sending = sending_[id];
    sending.attempts = 0;
    sending.next = Steady::now() + kStartLasts;
    if (sending.pid <= 0) return;
    ::kill(sending.pid, SIGTERM);
    const auto until = Steady::now() + kWayLimit;
    while (::waitpid(sending.pid, nullptr, WNOHANG) == 0) {
        if (Steady::now() >= until) return;  // the new logger goes without a spool until it is started again
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    sending.pid = 0;
}

Result<void> Loggers::retire(const std::string& id, const std::string& folder) {
    const std::lock_guard<std::mutex> held(mutex_);
    if (const auto status = status_in(folder)) counts_.note(id, *status);
    if (logs::spool_rest(spool_of(folder)).bytes == 0) {
        forget(id);
        return {};
    }
    if (auto made = make_directories(kept_, 0700); !made) return made;
    std::error_code failed;
    std::filesystem::rename(folder, kept_ + "/" + id, failed);
    if (failed) return from_error_code("keep the unsent log of " + id, failed);
    sending_[id].next = {};
    return {};
}

void Loggers::look(const std::string& parent, bool container_gone, LogFigures& now, std::vector<Unsent>& unsent) {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(parent, failed)) {
        const std::string id = entry.path().filename().string();
        const std::string folder = entry.path().string();
        const auto status = status_in(folder);
        if (status) counts_.note(id, *status);
        const logs::SpoolRest rest = logs::spool_rest(spool_of(folder));
        const bool running = status && works(*status) && !container_gone;
        if (running) {
            ++now.loggers;
            now.buffer_bytes += status->buffer_bytes;
        }
        now.spool_bytes += rest.bytes;
        if (rest.in_use && running) continue;
        if (rest.bytes > 0) {
            ++now.unsent_logs;
            now.unsent_bytes += rest.bytes;
            if (!rest.in_use) {
                unsent.push_back({.id = id,
                                  .folder = folder,
                                  .bytes = rest.bytes,
                                  .newest = std::chrono::system_clock::from_time_t(rest.newest),
                                  .container_gone = container_gone});
            }
        } else if (container_gone && !rest.in_use) {
            remove_all(folder);
            forget(id);
        }
    }
}

void Loggers::give_up_old(std::vector<Unsent>& unsent, WallTime now) {
    std::sort(unsent.begin(), unsent.end(), [](const Unsent& a, const Unsent& b) { return a.newest > b.newest; });
    std::uint64_t kept = 0;
    const auto over = [&](const Unsent& log) {
        if (!log.container_gone) return false;
        kept += log.bytes;
        const bool much = kept > kMostSpools * options_.logs.spool_bytes;
        if (!much && now - log.newest < kOldest) return false;
        log::error(much ? "the unsent log of a removed container is given up: too much waits to be sent"
                        : "the unsent log of a removed container is given up: CloudWatch Logs takes none so old",
                   {{"container", log.id}, {"bytes", std::to_string(log.bytes)}});
        counts_.abandon(log.bytes);
        remove_all(log.folder);
        forget(log.id);
        return true;
    };
    unsent.erase(std::remove_if(unsent.begin(), unsent.end(), over), unsent.end());
}

Result<pid_t> Loggers::begin_sending(const Unsent& log) const {
    auto config = leftover_config(options_.logs, log.folder);
    if (!config) return std::move(config).error();
    if (auto made = make_directories(sending_folder_, 0700); !made) return std::move(made).error();
    const std::string file = config_of(log.id);
    if (auto written = replace_file(file, *config, 0600); !written) return std::move(written).error();
    std::string words[] = {options_.logs.program, "config", file, "drain", ""};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), words[4].data(), nullptr};
    char* environment[] = {nullptr};
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addclosefrom_np(&files, 3);  // it may outlive the agent, whose ports it must not hold
    pid_t pid = 0;
    const int failed = ::posix_spawn(&pid, words[0].c_str(), &files, &attributes, arguments, environment);
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
        return from_error_code("start " + words[0], std::error_code(failed, std::generic_category()));
    }
    return pid;
}

void Loggers::send(const std::vector<Unsent>& unsent) {
    std::size_t busy = static_cast<std::size_t>(
        std::count_if(sending_.begin(), sending_.end(), [](const auto& entry) { return entry.second.pid > 0; }));
    const auto now = Steady::now();
    // the newest first: the oldest have failed the longest
    for (const Unsent& log : unsent) {
        if (busy >= kAtOnce) return;
        Sending& sending = sending_[log.id];
        if (sending.pid > 0 || now < sending.next) continue;
        const auto pause =
            std::min<Steady::duration>(kFirstPause * (1U << std::min(sending.attempts, 6U)), kLongestPause);
        sending.next = now + kSendingLasts + pause;
        ++sending.attempts;
        const auto pid = begin_sending(log);
        if (!pid) {
            log::warn("the unsent log of a container waits: no program can be started to send it; tried again",
                      {{"container", log.id}, {"cause", pid.error().what}});
            continue;
        }
        log::info("sending what the log of an ended container still holds",
                  {{"container", log.id}, {"bytes", std::to_string(log.bytes)}});
        sending.pid = *pid;
        ++busy;
    }
}

LogFigures Loggers::tend(WallTime now) {
    const std::lock_guard<std::mutex> held(mutex_);
    reap();
    LogFigures found;
    std::vector<Unsent> unsent;
    look(options_.data_dir + "/containers", false, found, unsent);
    look(kept_, true, found, unsent);
    give_up_old(unsent, now);
    if (!options_.logs.program.empty()) send(unsent);
    LogFigures figures = counts_.totals();
    figures.loggers = found.loggers;
    figures.buffer_bytes = found.buffer_bytes;
    figures.spool_bytes = found.spool_bytes;
    figures.unsent_logs = found.unsent_logs;
    figures.unsent_bytes = found.unsent_bytes;
    return figures;
}

}  // namespace nodeagent::runtime::containerd
