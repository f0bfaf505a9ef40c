#include "cgroups/statistics.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <numeric>
#include <optional>
#include <utility>

#include "agent/base/fd.hpp"
#include "cgroups/lines.hpp"

namespace nodeagent::cgroups {

namespace {

constexpr std::size_t kBufferSize = 16384;  // io.stat of a hundred devices
using Buffer = std::array<char, kBufferSize>;
constexpr int kCloseAfter = 3;  // quiet passes; then the files that are not read are closed

// One file of a cgroup, open from its first reading on: each open one holds a page of the kernel's memory.
class File {
  public:
    File() = default;
    explicit File(std::string path) : path_(std::move(path)) {}

    /// Its whole lines. Nothing when there is no such file, and on a failure, whose errno is then added.
    std::optional<std::string_view> read(Buffer& buffer, int& failure) {
        if (path_.empty()) return std::nullopt;
        if (!fd_) fd_ = Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        std::size_t filled = 0;
        while (fd_ && filled < buffer.size()) {
            const ssize_t n =
                ::pread(fd_.get(), buffer.data() + filled, buffer.size() - filled, static_cast<off_t>(filled));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failed(failure);
            filled += static_cast<std::size_t>(n);
            // a seq_file hands out at least a page when there is more; less than that was all
            if (n == 0 || static_cast<std::size_t>(n) < 4000) {
                const std::string_view text(buffer.data(), filled);
                return text;
            }
        }
        if (!fd_) return failed(failure);
        const std::string_view text(buffer.data(), filled);
        return text.substr(0, text.rfind('\n') + 1);
    }
    void close() { fd_.reset(); }

  private:
    static std::nullopt_t failed(int& failure) {
        failure = errno;
        return std::nullopt;
    }
    std::string path_;  ///< empty: there is none
    Fd fd_;
};

// The first of the names that the directory has.
File file_in(const std::string& directory, std::initializer_list<const char*> names) {
    for (const char* const name : names) {
        std::string path = directory + "/" + name;
        if (::access(path.c_str(), F_OK) == 0) return File(std::move(path));
    }
    return {};
}

}  // namespace

struct StatisticsReader::Files {
    Version version = Version::V1;
    std::uint64_t ticks_per_second = 100;
    // read in every pass
    File cpu_usage;  ///< v1: of each CPU, or in sum
    bool per_cpu = false;
    File memory_usage;
    File io_bytes, io_requests;
    File cpu_pressure, memory_pressure, io_pressure;
    // only its processes change them, or hardly anybody
    File cpu_throttling, cpu_times;  ///< v1
    File memory_max_usage, memory_limit, memory_stat, memory_fail_count, memory_events;
    File pids_current, pids_limit;

    Statistics last;
    bool read_once = false;
    int quiet_passes = 0;

    void read_rest(Buffer& buffer, int& failure);
    void close_rest();
};

StatisticsReader::StatisticsReader(std::unique_ptr<Files> files) : files_(std::move(files)) {}
StatisticsReader::StatisticsReader(StatisticsReader&&) noexcept = default;
StatisticsReader& StatisticsReader::operator=(StatisticsReader&&) noexcept = default;
StatisticsReader::~StatisticsReader() = default;

Result<StatisticsReader> StatisticsReader::open(const Hierarchy& hierarchy, const std::string& path) {
    auto files = std::make_unique<Files>();
    files->version = hierarchy.version;
    files->ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    const bool v1 = hierarchy.version == Version::V1;
    bool any = false;
    const auto directory = [&](const std::string& controller) {
        std::string found = (v1 ? hierarchy.root + "/" + controller : hierarchy.root) + path;
        any = any || ::access(found.c_str(), F_OK) == 0;
        return found;
    };
    const std::string cpu = directory("cpu");
    const std::string memory = directory("memory");
    const std::string pids = directory("pids");
    if (v1) {
        const std::string accounting = directory("cpuacct");
        files->cpu_usage = file_in(accounting, {"cpuacct.usage_percpu", "cpuacct.usage"});
        files->per_cpu = ::access((accounting + "/cpuacct.usage_percpu").c_str(), F_OK) == 0;
        files->cpu_throttling = file_in(cpu, {"cpu.stat"});
        files->cpu_times = file_in(accounting, {"cpuacct.stat"});
        files->memory_usage = file_in(memory, {"memory.usage_in_bytes"});
        files->memory_max_usage = file_in(memory, {"memory.max_usage_in_bytes"});
        files->memory_limit = file_in(memory, {"memory.limit_in_bytes"});
        files->memory_fail_count = file_in(memory, {"memory.failcnt"});
        files->memory_events = file_in(memory, {"memory.oom_control"});
        const std::string block = directory("blkio");
        files->io_bytes =
            file_in(block, {"blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"});
        files->io_requests = file_in(block, {"blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced"});
    } else {
        files->cpu_usage = file_in(cpu, {"cpu.stat"});
        files->memory_usage = file_in(memory, {"memory.current"});
        files->memory_max_usage = file_in(memory, {"memory.peak"});
        files->memory_limit = file_in(memory, {"memory.max"});
        files->memory_events = file_in(memory, {"memory.events"});
        files->io_bytes = file_in(memory, {"io.stat"});
        files->cpu_pressure = file_in(memory, {"cpu.pressure"});
        files->memory_pressure = file_in(memory, {"memory.pressure"});
        files->io_pressure = file_in(memory, {"io.pressure"});
    }
    files->memory_stat = file_in(memory, {"memory.stat"});
    files->pids_current = file_in(pids, {"pids.current"});
    files->pids_limit = file_in(pids, {"pids.max"});
    if (!any) {
        return Error{.kind = ErrorKind::NotFound,
                     .what = "read statistics: no cgroup " + path + " under " + hierarchy.root};
    }
    return StatisticsReader(std::move(files));
}

Result<void> StatisticsReader::read(Statistics& into, Extent extent) {
    Files& f = *files_;
    Statistics& last = f.last;
    Buffer buffer;
    int failure = 0;
    const std::uint64_t cpu_before = last.cpu.usage_ns;
    const std::uint64_t memory_before = last.memory.usage;
    if (const auto text = f.cpu_usage.read(buffer, failure)) {
        if (f.version == Version::V2) {
            last.cpu = {};
            parse_cpu_stat_v2(*text, last.cpu);
        } else if (f.per_cpu) {
            parse_cpuacct_per_cpu(*text, last.cpu);
            last.cpu.usage_ns =
                std::accumulate(last.cpu.per_cpu_ns.begin(), last.cpu.per_cpu_ns.end(), std::uint64_t{0});
        } else {
            parse_cpuacct_usage(*text, last.cpu);
        }
    }
    if (const auto text = f.memory_usage.read(buffer, failure)) last.memory.usage = number(*text);
    if (failure != 0) {
        return Error{.kind = failure == ENODEV || failure == ENOENT ? ErrorKind::NotFound : ErrorKind::Unavailable,
                     .what = std::string("read statistics: ") +
                             (failure == ENODEV ? "the cgroup has been removed" : std::strerror(failure))};
    }

    const bool quiet =
        f.read_once && last.cpu.usage_ns == cpu_before && last.memory.usage == memory_before;
    f.quiet_passes = quiet ? f.quiet_passes + 1 : 0;
    if (!quiet || extent == Extent::Full) {
        f.read_rest(buffer, failure);
        f.read_once = true;
    }
    if (f.quiet_passes >= kCloseAfter) f.close_rest();

    if (f.version == Version::V1) {
        if (const auto text = f.io_bytes.read(buffer, failure)) parse_blkio(*text, last.io.bytes);
        if (const auto text = f.io_requests.read(buffer, failure)) parse_blkio(*text, last.io.requests);
    } else {
        if (const auto text = f.io_bytes.read(buffer, failure)) parse_io_stat(*text, last.io);
        const auto pressure = [&](File& file, std::optional<Pressure>& target) {
            if (const auto text = file.read(buffer, failure)) target = parse_pressure(*text);
        };
        pressure(f.cpu_pressure, last.cpu_pressure);
        pressure(f.memory_pressure, last.memory_pressure);
        pressure(f.io_pressure, last.io_pressure);
    }
    into = last;
    return {};
}

// What cannot be read keeps its last value.
void StatisticsReader::Files::read_rest(Buffer& buffer, int& failure) {
    if (version == Version::V1) {
        if (const auto text = cpu_throttling.read(buffer, failure)) parse_cpu_throttling_v1(*text, last.cpu);
        if (const auto text = cpu_times.read(buffer, failure)) parse_cpuacct_stat(*text, ticks_per_second, last.cpu);
        if (const auto text = memory_fail_count.read(buffer, failure)) last.memory.fail_count = number(*text);
        if (const auto text = memory_events.read(buffer, failure)) parse_oom_control(*text, last.memory);
    } else {
        if (const auto text = memory_events.read(buffer, failure)) parse_memory_events(*text, last.memory);
    }
    if (const auto text = memory_max_usage.read(buffer, failure)) last.memory.max_usage = number(*text);
    if (const auto text = memory_limit.read(buffer, failure)) last.memory.limit = parse_limit(*text);
    if (const auto text = memory_stat.read(buffer, failure)) parse_memory_stat(version, *text, last.memory);
    if (const auto text = pids_current.read(buffer, failure)) last.pids.current = number(*text);
    if (const auto text = pids_limit.read(buffer, failure)) last.pids.limit = parse_limit(*text);
}

void StatisticsReader::Files::close_rest() {
    for (File* const file : {&cpu_throttling, &cpu_times, &memory_max_usage, &memory_limit, &memory_stat,
                             &memory_fail_count, &memory_events, &pids_current, &pids_limit})
        file->close();
}

}  // namespace nodeagent::cgroups
