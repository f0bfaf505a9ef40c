#include "runtime/containerd/oci/resources.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "agent/base/strings.hpp"
#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

constexpr std::int64_t kLeastMemory = 6LL << 20;  // Docker's
constexpr std::int64_t kMostCpuNumber = 8191;     // of a Linux kernel

std::string discarded(std::string_view feature, std::string_view what) {
    return "Your kernel does not support " + std::string(feature) + " or the cgroup is not mounted. " +
           std::string(what);
}

/// HostConfig of one container and what is made of it.
class ResourcePlan {
  public:
    ResourcePlan(const Json& host_config, const ResourceInputs& inputs, std::vector<std::string>& warnings)
        : host_(host_config), inputs_(inputs), can_(inputs.support), warnings_(warnings) {}

    Result<Json> make() {
        using Part = Result<void> (ResourcePlan::*)();
        for (const Part part :
             {&ResourcePlan::memory, &ResourcePlan::swap, &ResourcePlan::memory_details, &ResourcePlan::pids,
              &ResourcePlan::cpu, &ResourcePlan::realtime, &ResourcePlan::cpuset, &ResourcePlan::block_io}) {
            if (auto done = (this->*part)(); !done) return done.error();
        }
        Json out = Json::object();
        for (auto& [name, part] : {std::pair<const char*, Json*>{"memory", &memory_},
                                   {"cpu", &cpu_},
                                   {"pids", &pids_},
                                   {"blockIO", &block_io_}}) {
            if (!part->empty()) out[name] = std::move(*part);
        }
        return json_result(std::move(out));
    }

  private:
    [[nodiscard]] std::int64_t number(std::string_view name) const { return integer_or_zero(host_, name); }
    void warn(std::string text) { warnings_.push_back(std::move(text)); }

    Result<void> memory() {
        const std::int64_t limit = number("Memory");
        const std::int64_t reservation = number("MemoryReservation");
        if (limit > 0 && limit < kLeastMemory) return malformed("Minimum memory limit allowed is 6MB");
        if (reservation > 0 && reservation < kLeastMemory) {
            return malformed("Minimum memory reservation allowed is 6MB");
        }
        if (limit > 0 && reservation > limit) {
            return malformed("Minimum memory limit can not be less than memory reservation limit, see usage");
        }
        if (limit > 0) {
            if (can_.memory)
                memory_["limit"] = limit;
            else
                warn(discarded("memory limit capabilities", "Limitation discarded."));
        }
        if (reservation > 0) {
            if (can_.memory)
                memory_["reservation"] = reservation;
            else
                warn(discarded("memory soft limit capabilities", "Limitation discarded."));
        }
        return {};
    }

    /// Memory and swap together; twice the memory when nothing is said.
    Result<void> swap() {
        const std::int64_t limit = number("Memory");
        std::int64_t both = number("MemorySwap");
        if (limit <= 0 && both > 0) {
            return malformed("You should always set the Memory limit when using Memoryswap limit, see usage");
        }
        if (limit <= 0 || !can_.memory || both == -1) return {};
        if (both > 0 && both < limit) {
            return malformed("Minimum memoryswap limit should be larger than memory limit, see usage");
        }
        if (!can_.swap_limit) {
            warn(discarded("swap limit capabilities", "Memory limited without swap."));
            return {};
        }
        constexpr std::int64_t kMost = INT64_MAX / 2;
        if (both == 0) both = limit > kMost ? limit : limit * 2;
        if (both > 0) memory_["swap"] = both;
        return {};
    }

    Result<void> memory_details() {
        const bool v1 = !inputs_.cgroup_v2;
        if (const auto swappiness = integer_of(host_, "MemorySwappiness"); swappiness && *swappiness != -1) {
            if (*swappiness < 0 || *swappiness > 100) {
                return malformed("Invalid value: " + std::to_string(*swappiness) +
                                 ", valid memory swappiness range is 0-100");
            }
            if (v1 && can_.memory && can_.swappiness)
                memory_["swappiness"] = *swappiness;
            else
                warn(discarded("memory swappiness capabilities", "Memory swappiness discarded."));
        }
        if (flag_of(host_, "OomKillDisable")) {
            if (v1 && can_.memory && can_.oom_kill_disable)
                memory_["disableOOMKiller"] = true;
            else
                warn("Your kernel does not support OomKillDisable. OomKillDisable discarded.");
        }
        if (const std::int64_t kernel = number("KernelMemory"); kernel > 0) {
            if (kernel < kLeastMemory) return malformed("Minimum kernel memory limit allowed is 6MB");
            if (v1 && can_.kernel_memory)
                memory_["kernel"] = kernel;
            else
                warn(discarded("kernel memory limit capabilities", "Limitation discarded."));
        }
        if (const std::int64_t buffers = number("KernelMemoryTCP"); buffers > 0) {
            if (v1 && can_.kernel_memory_tcp)
                memory_["kernelTCP"] = buffers;
            else
                warn(discarded("kernel memory TCP limit capabilities", "Limitation discarded."));
        }
        return {};
    }

    Result<void> pids() {
        const auto limit = integer_of(host_, "PidsLimit");
        if (!limit) return {};
        if (can_.pids)
            pids_["limit"] = *limit > 0 ? *limit : -1;
        else if (*limit > 0)
            warn(discarded("PIDs limit capabilities", "PIDs limit discarded."));
        return {};
    }

    Result<void> cpu() {
        const std::int64_t nanos = number("NanoCpus");
        const std::int64_t period = number("CpuPeriod");
        const std::int64_t quota = number("CpuQuota");
        const std::int64_t shares = number("CpuShares");
        if (nanos > 0 && period > 0) {
            return malformed("Conflicting options: Nano CPUs and CPU Period cannot both be set");
        }
        if (nanos > 0 && quota > 0) return malformed("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
        if (nanos > 0 && !can_.cpu_cfs) {
            return malformed(
                "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup "
                "is not mounted");
        }
        if (nanos < 0 || (can_.cpus > 0 && nanos > can_.cpus * 1'000'000'000LL)) {
            const std::string cpus = std::to_string(can_.cpus);
            return malformed("Range of CPUs is from 0.01 to " + cpus + ".00, as there are only " + cpus +
                             " CPUs available");
        }
        if (shares < 0) return malformed("shares: invalid argument");
        if (period != 0 && (period < 1000 || period > 1'000'000)) {
            return malformed("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
        }
        if (quota > 0 && quota < 1000) return malformed("CPU cfs quota can not be less than 1ms (i.e. 1000)");

        if (shares > 0) {
            if (can_.cpu_shares)
                cpu_["shares"] = shares;
            else
                warn(discarded("CPU shares", "Shares discarded."));
        }
        if (nanos > 0) {
            constexpr std::int64_t kPeriod = 100'000;
            cpu_["period"] = kPeriod;
            cpu_["quota"] = nanos / 1'000'000'000 * kPeriod + nanos % 1'000'000'000 * kPeriod / 1'000'000'000;
        }
        if (period == 0 && quota == 0) return {};
        if (!can_.cpu_cfs) {
            warn("Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.");
            return {};
        }
        if (period != 0) cpu_["period"] = period;
        if (quota != 0) cpu_["quota"] = quota;
        return {};
    }

    Result<void> realtime() {
        const std::int64_t period = number("CpuRealtimePeriod");
        const std::int64_t runtime = number("CpuRealtimeRuntime");
        if (period == 0 && runtime == 0) return {};
        if (period < 0) return malformed("HostConfig.CpuRealtimePeriod: must not be negative");
        if (inputs_.cgroup_v2 || !can_.cpu_realtime) {
            return malformed(
                "HostConfig.CpuRealtimePeriod, CpuRealtimeRuntime: your kernel does not support cgroup "
                "rt period and runtime");
        }
        if (runtime != 0 && period != 0 && runtime > period) {
            return malformed("cpu real-time runtime cannot be higher than cpu real-time period");
        }
        if (period != 0) cpu_["realtimePeriod"] = period;
        if (runtime != 0) cpu_["realtimeRuntime"] = runtime;
        return {};
    }

    Result<void> cpuset() {
        if (auto done = cpuset_part("CpusetCpus", "cpus", "CPUs", can_.cpuset_cpus); !done) return done;
        return cpuset_part("CpusetMems", "mems", "memory nodes", can_.cpuset_mems);
    }

    Result<void> cpuset_part(const char* field, const char* member, const char* things, const std::string& available) {
        const std::string asked = text_of(host_, field);
        if (asked.empty()) return {};
        const auto wanted = numbers_of(asked);
        if (!wanted) return malformed("Invalid value " + asked + " for cpuset " + member);
        if (!can_.cpuset) {
            warn(discarded("cpuset", "Cpuset discarded."));
            return {};
        }
        const auto have = numbers_of(available);
        if (!available.empty() && have && !std::includes(have->begin(), have->end(), wanted->begin(), wanted->end())) {
            return malformed("Requested " + std::string(things) + " are not available - requested " + asked +
                             ", available: " + available);
        }
        cpu_[member] = asked;
        return {};
    }

    /// "0-2,7" -> 0, 1, 2, 7
    static std::optional<std::set<std::int64_t>> numbers_of(std::string_view list) {
        std::set<std::int64_t> numbers;
        for (const std::string_view part : split(list, ',')) {
            const std::size_t dash = part.find('-');
            const auto first = parse_integer(part.substr(0, dash));
            const auto last = dash == std::string_view::npos ? first : parse_integer(part.substr(dash + 1));
            if (!first || !last || *first < 0 || *first > *last || *last > kMostCpuNumber) return std::nullopt;
            for (std::int64_t i = *first; i <= *last; ++i) numbers.insert(i);
        }
        return numbers;
    }

    Result<void> block_io() {
        if (number("IOMaximumBandwidth") != 0 || number("IOMaximumIOps") != 0) {
            return malformed("Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps");
        }
        const std::int64_t weight = number("BlkioWeight");
        if (weight != 0 && !can_.blkio_weight) {
            warn(discarded("Block I/O weight", "Weight discarded."));
        } else if (weight != 0) {
            if (weight < 10 || weight > 1000) return malformed("Range of blkio weight is from 10 to 1000");
            block_io_["weight"] = weight;
        }
        struct Limit {
            const char *field, *member, *value, *out, *name;
            bool possible;
        };
        for (const Limit& limit : {Limit{"BlkioWeightDevice", "weightDevice", "Weight", "weight",
                                         "Block I/O weight_device", can_.blkio_weight_device},
                                   Limit{"BlkioDeviceReadBps", "throttleReadBpsDevice", "Rate", "rate",
                                         "BPS Block I/O read limit", can_.blkio_throttle},
                                   Limit{"BlkioDeviceWriteBps", "throttleWriteBpsDevice", "Rate", "rate",
                                         "BPS Block I/O write limit", can_.blkio_throttle},
                                   Limit{"BlkioDeviceReadIOps", "throttleReadIOPSDevice", "Rate", "rate",
                                         "IOPS Block read limit", can_.blkio_throttle},
                                   Limit{"BlkioDeviceWriteIOps", "throttleWriteIOPSDevice", "Rate", "rate",
                                         "IOPS Block write limit", can_.blkio_throttle}}) {
            const auto entries = objects_of(host_, limit.field);
            if (entries.empty()) continue;
            if (!limit.possible) {
                warn(discarded(limit.name, std::string(limit.field) + " discarded."));
                continue;
            }
            Json list = Json::array();
            for (const Json* entry : entries) {
                const std::string path = text_of(*entry, "Path");
                const auto found = inputs_.devices.at(path);
                if (!found || found->empty()) {
                    return malformed("HostConfig." + std::string(limit.field) + ": stat " + path + ": no such device");
                }
                const std::int64_t value = integer_or_zero(*entry, limit.value);
                if (value < 0) return malformed("HostConfig." + std::string(limit.field) + ": must not be negative");
                list.push_back({{"major", found->front().major}, {"minor", found->front().minor}, {limit.out, value}});
            }
            block_io_[limit.member] = std::move(list);
        }
        return {};
    }

    const Json& host_;
    const ResourceInputs& inputs_;
    const CgroupSupport& can_;
    std::vector<std::string>& warnings_;
    Json memory_ = Json::object(), cpu_ = Json::object(), pids_ = Json::object(), block_io_ = Json::object();
};

}  // namespace

Result<Json> container_resources(const Json& host_config, const ResourceInputs& inputs,
                                 std::vector<std::string>& warnings) {
    return ResourcePlan(host_config, inputs, warnings).make();
}

}  // namespace nodeagent::runtime::containerd::oci
