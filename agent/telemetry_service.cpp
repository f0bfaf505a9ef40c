#include "agent/telemetry_service.hpp"

#include <sched.h>
#include <sys/sysinfo.h>

#include <optional>
#include <utility>

#include "agent/base/clock.hpp"
#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/shard.hpp"
#include "agent/telemetry/collector.hpp"
#include "cgroups/hierarchy.hpp"

namespace nodeagent {

namespace {

unsigned usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return static_cast<unsigned>(CPU_COUNT(&set));
}

std::uint64_t machine_memory() {
    struct sysinfo info {};
    if (::sysinfo(&info) != 0) return 0;
    return std::uint64_t{info.totalram} * info.mem_unit;
}

}  // namespace

struct TelemetryService::Impl {
    explicit Impl(Parts given) : parts(given) {
        auto hierarchy = cgroups::detect_hierarchy(parts.config.cgroup_path);
        if (!hierarchy) {
            log::warn("no statistics of containers: no cgroups are mounted",
                      {{"reason", hierarchy.error().what}, {"remedy", "set ECS_CGROUP_PATH"}});
            return;
        }
        const auto how =
            telemetry::sampling(parts.config.poll_metrics.enabled(), parts.config.poll_metrics_wait);
        collector.emplace(telemetry::CollectorOptions{.hierarchy = *std::move(hierarchy),
                                                      .interval = how.interval,
                                                      .window = how.window,
                                                      .disabled = parts.config.disable_metrics.enabled(),
                                                      .cpus = usable_cpus(),
                                                      .machine_memory = machine_memory()},
                          parts.snapshots, clock);
    }

    Parts parts;
    SystemClock clock;
    std::optional<telemetry::Collector> collector;
    Shard shard{"telemetry"};
    Scope scope{shard.executor()};
};

TelemetryService::TelemetryService(Parts parts) : impl_(std::make_unique<Impl>(parts)) {}
TelemetryService::~TelemetryService() = default;

void TelemetryService::start() {
    Impl& self = *impl_;
    if (!self.collector) return;
    self.scope.spawn(self.collector->run());
    self.shard.start();
}

void TelemetryService::stop() { impl_->shard.stop(); }

telemetry::Collector* TelemetryService::collector() const {
    return impl_->collector ? &*impl_->collector : nullptr;
}

boost::asio::any_io_executor TelemetryService::executor() const { return impl_->shard.executor(); }

}  // namespace nodeagent
