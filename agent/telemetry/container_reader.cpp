#include "agent/telemetry/container_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::telemetry {

namespace {

constexpr std::size_t kBufferSize = 16384;  // net/dev of a hundred interfaces
constexpr std::size_t kAll = 3500;          // a read of less was the last
using Buffer = std::array<char, kBufferSize>;

// Reads from the beginning; empty when that fails. What did not fit is left out, whole lines only.
std::string_view contents(const Fd& file, Buffer& buffer) {
    if (!file) return {};
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const ssize_t n =
            ::pread(file.get(), buffer.data() + filled, buffer.size() - filled, static_cast<off_t>(filled));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return {};
        filled += static_cast<std::size_t>(n);
        // a page less one line at most is handed out while there is more
        if (static_cast<std::size_t>(n) < kAll) return {buffer.data(), filled};
    }
    const std::string_view text(buffer.data(), filled);
    return text.substr(0, text.rfind('\n') + 1);
}

Fd open_for_reading(const std::string& path) { return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)); }

}  // namespace

std::string statistics_path(std::string_view proc_cgroup, cgroups::Version version) {
    std::string_view of_memory;
    std::string_view of_cpu;
    for (const std::string_view line : split(proc_cgroup, '\n')) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view controllers = line.substr(first + 1, second - first - 1);
        const std::string_view path = line.substr(second + 1);
        if (version == cgroups::Version::V2) {
            if (controllers.empty()) return std::string(path);
            continue;
        }
        for (const std::string_view controller : split(controllers, ',')) {
            if (controller == "memory") of_memory = path;
            if (controller == "cpu") of_cpu = path;
        }
    }
    return std::string(of_memory.empty() ? of_cpu : of_memory);
}

Result<ContainerReader> ContainerReader::open(const cgroups::Hierarchy& hierarchy, const std::string& proc,
                                              const Target& target) {
    const std::string process = proc + "/" + std::to_string(target.pid);
    auto told = read_file(process + "/cgroup");
    if (!told) return std::move(told).error();
    const std::string path = statistics_path(*told, hierarchy.version);
    if (target.container_id.empty() || path.find(target.container_id) == std::string::npos) {
        return Error{.kind = ErrorKind::NotFound,
                     .what = "read statistics: process " + std::to_string(target.pid) + " in cgroup " + path +
                             " is not of container " + target.container_id};
    }
    auto statistics = cgroups::StatisticsReader::open(hierarchy, path);
    if (!statistics) return std::move(statistics).error();
    Fd network = target.own_network ? open_for_reading(process + "/net/dev") : Fd();
    return ContainerReader(*std::move(statistics), std::move(network));
}

Result<void> ContainerReader::read(Usage& into) {
    auto done = statistics_.read(into.cgroup);
    if (!done) return done;
    Buffer buffer;
    if (!network_) {
        into.interfaces.clear();
    } else if (const std::string_view text = contents(network_, buffer); !text.empty()) {
        parse_net_dev(text, into.interfaces);
    }
    return {};
}

SystemCpu::SystemCpu(const std::string& proc)
    : file_(open_for_reading(proc + "/stat")), ticks_per_second_(static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK))) {}

std::uint64_t SystemCpu::nanoseconds() const {
    std::array<char, 512> buffer;  // its first line is all that counts
    const ssize_t n = file_ ? ::pread(file_.get(), buffer.data(), buffer.size(), 0) : -1;
    if (n <= 0) return 0;
    return parse_system_cpu({buffer.data(), static_cast<std::size_t>(n)}, ticks_per_second_);
}

}  // namespace nodeagent::telemetry
