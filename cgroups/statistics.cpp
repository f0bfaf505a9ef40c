#include "cgroups/statistics.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <numeric>
#include <optional>
#include <span>

#include "agent/base/strings.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/lines.hpp"

namespace nodeagent::cgroups {

namespace {

constexpr std::size_t kBufferSize = 16384;  // io.stat of a hundred devices
using Buffer = std::array<char, kBufferSize>;
constexpr int kQuietPasses = 10;  // then all files are read again: limits may have been changed from outside

// The whole lines of a file. Empty when it is not open or unreadable; `gone` is set when its cgroup has been removed.
std::string_view contents(const Fd& file, Buffer& buffer, bool& gone) {
    if (!file) return {};
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const ssize_t n =
            ::pread(file.get(), buffer.data() + filled, buffer.size() - filled, static_cast<off_t>(filled));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            gone = gone || errno == ENODEV;
            return {};
        }
        filled += static_cast<std::size_t>(n);
        // a seq_file hands out at least a page when there is more; less than that was all
        if (n == 0 || static_cast<std::size_t>(n) < 4000) break;
    }
    const std::string_view text(buffer.data(), filled);
    return filled < buffer.size() ? text : text.substr(0, text.rfind('\n') + 1);
}

std::optional<Cgroup> find(const std::string& root, const std::string& path) {
    Result<Cgroup> current = Cgroup::open_root(root);
    for (const std::string_view part : split(path, '/')) {
        if (part.empty()) continue;
        if (!current) return std::nullopt;
        Result<Cgroup> next = current->child(part);
        current = std::move(next);
    }
    if (!current) return std::nullopt;
    return std::move(*current);
}

Fd opened(const std::optional<Cgroup>& cgroup, std::initializer_list<std::string_view> names) {
    if (!cgroup) return {};
    for (const std::string_view name : names) {
        if (Result<Fd> file = cgroup->open_file(name); file) return std::move(*file);
    }
    return {};
}

}  // namespace

struct StatisticsReader::Files {
    Version version = Version::V1;
    std::uint64_t ticks_per_second = 100;
    Fd cpu_stat;
    Fd cpu_usage, cpu_per_cpu, cpu_times;  // v1: cpuacct
    Fd memory_usage, memory_max_usage, memory_limit, memory_stat, memory_fail_count, memory_events;
    Fd pids_current, pids_limit;
    Fd io_bytes, io_requests;
    Fd cpu_pressure, memory_pressure, io_pressure;
    Statistics last;         // its parts that need not be read of who did nothing
    int quiet_passes = -1;  // since all files were read; -1: never
};

StatisticsReader::StatisticsReader(std::unique_ptr<Files> files) : files_(std::move(files)) {}
StatisticsReader::StatisticsReader(StatisticsReader&&) noexcept = default;
StatisticsReader& StatisticsReader::operator=(StatisticsReader&&) noexcept = default;
StatisticsReader::~StatisticsReader() = default;

Result<StatisticsReader> StatisticsReader::open(const Hierarchy& hierarchy, const std::string& path) {
    auto files = std::make_unique<Files>();
    files->version = hierarchy.version;
    files->ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    bool any = false;
    const auto directory = [&](const std::string& controller) {
        auto found = find(hierarchy.version == Version::V1 ? hierarchy.root + "/" + controller : hierarchy.root, path);
        any = any || found;
        return found;
    };
    const auto cpu = directory("cpu");
    files->cpu_stat = opened(cpu, {"cpu.stat"});
    const auto memory = directory("memory");
    const auto pids = directory("pids");
    files->pids_current = opened(pids, {"pids.current"});
    files->pids_limit = opened(pids, {"pids.max"});
    if (hierarchy.version == Version::V1) {
        const auto accounting = directory("cpuacct");
        files->cpu_usage = opened(accounting, {"cpuacct.usage"});
        files->cpu_per_cpu = opened(accounting, {"cpuacct.usage_percpu"});
        files->cpu_times = opened(accounting, {"cpuacct.stat"});
        files->memory_usage = opened(memory, {"memory.usage_in_bytes"});
        files->memory_max_usage = opened(memory, {"memory.max_usage_in_bytes"});
        files->memory_limit = opened(memory, {"memory.limit_in_bytes"});
        files->memory_fail_count = opened(memory, {"memory.failcnt"});
        files->memory_events = opened(memory, {"memory.oom_control"});
        const auto block = directory("blkio");
        files->io_bytes =
            opened(block, {"blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"});
        files->io_requests = opened(block, {"blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced"});
    } else {
        files->memory_usage = opened(memory, {"memory.current"});
        files->memory_max_usage = opened(memory, {"memory.peak"});
        files->memory_limit = opened(memory, {"memory.max"});
        files->memory_events = opened(memory, {"memory.events"});
        files->io_bytes = opened(memory, {"io.stat"});
        files->cpu_pressure = opened(memory, {"cpu.pressure"});
        files->memory_pressure = opened(memory, {"memory.pressure"});
        files->io_pressure = opened(memory, {"io.pressure"});
    }
    files->memory_stat = opened(memory, {"memory.stat"});
    if (!any) {
        return Error{.kind = ErrorKind::NotFound,
                     .what = "read statistics: no cgroup " + path + " under " + hierarchy.root};
    }
    return StatisticsReader(std::move(files));
}

Result<void> StatisticsReader::read(Statistics& into) {
    Files& f = *files_;
    Statistics& last = f.last;
    Buffer buffer;
    bool gone = false;
    const auto text = [&](const Fd& file) { return contents(file, buffer, gone); };
    const bool v1 = f.version == Version::V1;

    // who has used no CPU and holds as much memory as before has changed nothing else of what is skipped
    const std::uint64_t cpu_before = last.cpu.usage_ns;
    const std::uint64_t memory_before = last.memory.usage;
    if (v1) {
        if (f.cpu_per_cpu) {
            parse_cpuacct_per_cpu(text(f.cpu_per_cpu), last.cpu);
            last.cpu.usage_ns = std::accumulate(last.cpu.per_cpu_ns.begin(), last.cpu.per_cpu_ns.end(), std::uint64_t{0});
        } else {
            parse_cpuacct_usage(text(f.cpu_usage), last.cpu);
        }
    } else {
        last.cpu = {};
        parse_cpu_stat_v2(text(f.cpu_stat), last.cpu);
    }
    last.memory.usage = number(text(f.memory_usage));
    const bool quiet = last.cpu.usage_ns == cpu_before && last.memory.usage == memory_before &&
                       f.quiet_passes >= 0 && f.quiet_passes < kQuietPasses;
    if (quiet) {
        ++f.quiet_passes;
    } else {
        f.quiet_passes = 0;
        read_rest(f, text);
    }
    if (v1) {
        parse_blkio(text(f.io_bytes), last.io.bytes);
        parse_blkio(text(f.io_requests), last.io.requests);
    } else {
        parse_io_stat(text(f.io_bytes), last.io);
        last.cpu_pressure = parse_pressure(text(f.cpu_pressure));
        last.memory_pressure = parse_pressure(text(f.memory_pressure));
        last.io_pressure = parse_pressure(text(f.io_pressure));
    }
    if (gone) return Error{.kind = ErrorKind::NotFound, .what = "read statistics: the cgroup has been removed"};
    into = last;
    return {};
}

template <class Text>
void StatisticsReader::read_rest(Files& f, const Text& text) {
    Statistics& last = f.last;
    if (f.version == Version::V1) {
        parse_cpu_throttling_v1(text(f.cpu_stat), last.cpu);
        parse_cpuacct_stat(text(f.cpu_times), f.ticks_per_second, last.cpu);
        last.memory.fail_count = number(text(f.memory_fail_count));
        parse_oom_control(text(f.memory_events), last.memory);
    } else {
        parse_memory_events(text(f.memory_events), last.memory);
    }
    last.memory.max_usage = number(text(f.memory_max_usage));
    if (const std::string_view limit = text(f.memory_limit); !limit.empty()) last.memory.limit = parse_limit(limit);
    parse_memory_stat(f.version, text(f.memory_stat), last.memory);
    last.pids.current = number(text(f.pids_current));
    if (const std::string_view limit = text(f.pids_limit); !limit.empty()) last.pids.limit = parse_limit(limit);
}

}  // namespace nodeagent::cgroups
