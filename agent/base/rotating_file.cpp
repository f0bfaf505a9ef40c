#include "agent/base/rotating_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <vector>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent {

namespace {

using WallTime = std::chrono::system_clock::time_point;

std::string hour_of(WallTime when) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 16> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d-%H", &utc);
    return text.data();
}

bool is_hour(std::string_view suffix) {
    constexpr std::string_view kShape = "dddd-dd-dd-dd";
    if (suffix.size() != kShape.size()) return false;
    for (std::size_t i = 0; i < suffix.size(); ++i) {
        const bool digit = suffix[i] >= '0' && suffix[i] <= '9';
        if (kShape[i] == 'd' ? !digit : suffix[i] != '-') return false;
    }
    return true;
}

std::pair<std::string, std::string> directory_and_name(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

struct RotatingFile::State {
    explicit State(RotatingFileOptions o) : options(std::move(o)) {}

    RotatingFileOptions options;
    std::mutex mutex;
    Fd file;
    std::uint64_t size = 0;
    std::string hour;  ///< of what is in the file now

    Result<void> open() {
        file = Fd(::open(options.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, options.mode));
        if (!file) return from_errno("open log file " + options.path);
        struct stat status {};
        if (::fstat(file.get(), &status) != 0) return from_errno("open log file " + options.path);
        size = static_cast<std::uint64_t>(status.st_size);
        // What an earlier run left belongs to the hour of its last line.
        hour = hour_of(size > 0 ? std::chrono::system_clock::from_time_t(status.st_mtime) : options.now());
        return {};
    }

    /// What follows "<name>." of every rolled file, oldest first.
    [[nodiscard]] std::vector<std::string> rolled() const {
        const auto [directory, name] = directory_and_name(options.path);
        std::vector<std::string> suffixes;
        DIR* listing = ::opendir(directory.c_str());
        if (listing == nullptr) return suffixes;
        while (const dirent* entry = ::readdir(listing)) {
            const std::string_view file_name = entry->d_name;
            if (!file_name.starts_with(name + ".")) continue;
            const std::string suffix(file_name.substr(name.size() + 1));
            const bool ours =
                options.rollover == Rollover::Hourly ? is_hour(suffix) : parse_integer(suffix).value_or(0) > 0;
            if (ours) suffixes.push_back(suffix);
        }
        ::closedir(listing);
        std::sort(suffixes.begin(), suffixes.end(), [](const std::string& a, const std::string& b) {
            return a.size() != b.size() ? a.size() < b.size()
                                        : a < b;  // numbers of growing length, hours of one length
        });
        return suffixes;
    }

    void roll() {
        std::vector<std::string> old = rolled();
        std::string suffix = hour;
        if (options.rollover == Rollover::Size)
            suffix = std::to_string(old.empty() ? 1 : *parse_integer(old.back()) + 1);
        file.reset();
        if (::rename(options.path.c_str(), (options.path + "." + suffix).c_str()) == 0) {
            if (old.empty() || old.back() != suffix) old.push_back(suffix);
        }
        const std::size_t keep = options.keep <= 0 ? old.size() : static_cast<std::size_t>(options.keep);
        for (std::size_t i = 0; i + keep < old.size(); ++i) ::unlink((options.path + "." + old[i]).c_str());
    }

    [[nodiscard]] bool due(std::size_t more, const std::string& now_hour) const {
        if (size == 0) return false;
        if (options.rollover == Rollover::Size) return size + more > options.max_bytes;
        return options.rollover == Rollover::Hourly && now_hour != hour;
    }

    bool write(std::string_view line) {
        const std::lock_guard lock(mutex);
        const std::string now_hour = options.rollover == Rollover::Hourly ? hour_of(options.now()) : std::string();
        if (file && due(line.size() + 1, now_hour)) roll();
        if (!file && !open()) return false;
        if (size == 0) hour = now_hour;
        char newline = '\n';
        // one call, so that lines of two processes do not mix
        const std::array<iovec, 2> parts{iovec{const_cast<char*>(line.data()), line.size()}, iovec{&newline, 1}};
        const ssize_t written = ::writev(file.get(), parts.data(), static_cast<int>(parts.size()));
        if (written > 0) size += static_cast<std::uint64_t>(written);
        return written == static_cast<ssize_t>(line.size() + 1);
    }
};

RotatingFile::RotatingFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
RotatingFile::~RotatingFile() = default;

Result<std::unique_ptr<RotatingFile>> RotatingFile::open(RotatingFileOptions options) {
    auto state = std::make_unique<State>(std::move(options));
    if (Result<void> made = make_directories(directory_and_name(state->options.path).first); !made) return made.error();
    if (Result<void> opened = state->open(); !opened) return opened.error();
    return std::unique_ptr<RotatingFile>(new RotatingFile(std::move(state)));
}

bool RotatingFile::write(std::string_view line) { return state_->write(line); }

}  // namespace nodeagent
