#include "agent/telemetry/container_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
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

bool on_the_network_of(const std::string& process, const std::string& other) {
    struct stat one {};
    struct stat two {};
    return ::stat((process + "/ns/net").c_str(), &one) == 0 && ::stat((other + "/ns/net").c_str(), &two) == 0 &&
           one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

Fd open_for_reading(const std::string& path) { return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)); }

}  // namespace

std::string container_cgroup(std::string_view proc_cgroup, cgroups::Version version, std::string_view container_id) {
    std::string_view of_memory;
    std::string_view of_cpu;
    std::string_view unified;
    for (const std::string_view line : split(proc_cgroup, '\n')) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view path = line.substr(second + 1);
        const std::string_view controllers = line.substr(first + 1, second - first - 1);
        if (controllers.empty()) unified = path;
        for (const std::string_view controller : split(controllers, ',')) {
            if (controller == "memory") of_memory = path;
            if (controller == "cpu") of_cpu = path;
        }
    }
    const std::string_view path = version == cgroups::Version::V2 ? unified : of_memory.empty() ? of_cpu : of_memory;
    const std::size_t at = container_id.empty() ? std::string_view::npos : path.find(container_id);
    if (at == std::string_view::npos) return {};
    return std::string(path.substr(0, path.find('/', at)));
}

Result<ContainerReader> ContainerReader::open(const cgroups::Hierarchy& hierarchy, const std::string& proc,
                                              const Target& target) {
    const std::string process = proc + "/" + std::to_string(target.pid);
    auto told = read_file(process + "/cgroup");
    if (!told) return std::move(told).error();
    const std::string path = container_cgroup(*told, hierarchy.version, target.container_id);
    if (path.empty()) {
        return Error{.kind = ErrorKind::NotFound,
                     .what = "read statistics: process " + std::to_string(target.pid) + " is not of container " +
                             target.container_id};
    }
    auto statistics = cgroups::StatisticsReader::open(hierarchy, path);
    if (!statistics) return std::move(statistics).error();
    Fd network = on_the_network_of(process, proc + "/self") ? Fd() : open_for_reading(process + "/net/dev");
    return ContainerReader(*std::move(statistics), std::move(network));
}

Result<void> ContainerReader::read(Usage& into, cgroups::StatisticsReader::Extent extent) {
    auto done = statistics_.read(into.cgroup, extent);
    if (!done) return done;
    Buffer buffer;
    if (const std::string_view text = contents(network_, buffer); !text.empty()) parse_net_dev(text, interfaces_);
    into.interfaces = interfaces_;
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
