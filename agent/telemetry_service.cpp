#include "agent/telemetry_service.hpp"

#include <sched.h>
#include <sys/sysinfo.h>

#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/shard.hpp"
#include "agent/host_setup_condition.hpp"
#include "agent/telemetry/collector.hpp"
#include "agent/telemetry/host_conditions.hpp"
#include "agent/telemetry/lifecycle_steps.hpp"
#include "agent/telemetry/metrics_server.hpp"
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

/// What Prometheus asks for.
struct Prometheus {
    Prometheus(Shard& shard, Clock& clock, const TelemetryService::Parts& parts, telemetry::Collector* collector,
               std::function<model::HostConditions()> host)
        : server(shard.executor(), clock,
                 {.snapshots = parts.snapshots,
                  .collector = collector,
                  .steps = steps,
                  .figures = parts.figures,
                  .host = std::move(host)},
                 telemetry::metrics_listener(parts.config.prometheus_address, config::kPrometheusPort)) {}
    void start() { server.start(); }

    telemetry::LifecycleSteps steps;
    telemetry::MetricsServer server;
};

}  // namespace

struct TelemetryService::Impl {
    explicit Impl(Parts given) : parts(std::move(given)) {
        collect();
        if (parts.config.prometheus_metrics)
            prometheus.emplace(shard, clock, parts, collector ? &*collector : nullptr, [this] { return host(); });
    }

    void collect() {
        auto hierarchy = cgroups::detect_hierarchy(parts.config.cgroup_path);
        if (!hierarchy) {
            log::warn("no statistics of containers: no cgroups are mounted",
                      {{"reason", hierarchy.error().what}, {"remedy", "set ECS_CGROUP_PATH"}});
            return;
        }
        const auto how = telemetry::sampling(parts.config.poll_metrics.enabled(), parts.config.poll_metrics_wait);
        collector.emplace(telemetry::CollectorOptions{.hierarchy = *std::move(hierarchy),
                                                      .interval = how.interval,
                                                      .window = how.window,
                                                      .disabled = parts.config.disable_metrics.enabled(),
                                                      .cpus = usable_cpus(),
                                                      .machine_memory = machine_memory()},
                          parts.snapshots, clock);
    }

    [[nodiscard]] model::HostConditions host() const {
        const telemetry::HostMarks marks{
            .disk = core::watermarks(parts.config.image_high_watermark, parts.config.image_low_watermark)};
        model::HostConditions now =
            telemetry::look_at_host({.data_dir = parts.config.data_dir, .docker_root = docker_root}, marks);
        now.setup = host_setup_condition(host_setup::read_outcome(), on_ec2);
        return now;
    }
    static asio::awaitable<model::HostConditions> look(const Impl& self) { co_return self.host(); }

    Parts parts;
    SystemClock clock;
    std::string docker_root;  ///< the shard's
    bool on_ec2 = false;      ///< likewise
    std::optional<telemetry::Collector> collector;
    Shard shard{"telemetry"};
    Scope scope{shard.executor()};
    std::optional<Prometheus> prometheus;
};

TelemetryService::TelemetryService(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
TelemetryService::~TelemetryService() = default;

void TelemetryService::start() {
    Impl& self = *impl_;
    if (self.collector) self.scope.spawn(self.collector->run());
    if (self.prometheus) self.prometheus->start();
    self.shard.start();
}

void TelemetryService::stop() { impl_->shard.stop(); }

telemetry::Collector* TelemetryService::collector() const { return impl_->collector ? &*impl_->collector : nullptr; }

engine::StepSink* TelemetryService::steps() const { return impl_->prometheus ? &impl_->prometheus->steps : nullptr; }

asio::awaitable<model::HostConditions> TelemetryService::host_conditions() {
    auto work = Impl::look(*impl_);
    co_return co_await asio::co_spawn(impl_->shard.executor(), std::move(work), asio::use_awaitable);
}

void TelemetryService::docker_root(std::string folder) {
    asio::post(impl_->shard.executor(),
               [self = impl_.get(), folder = std::move(folder)]() mutable { self->docker_root = std::move(folder); });
}

void TelemetryService::on_ec2(bool it_is) {
    asio::post(impl_->shard.executor(), [self = impl_.get(), it_is] { self->on_ec2 = it_is; });
}

boost::asio::any_io_executor TelemetryService::executor() const { return impl_->shard.executor(); }

}  // namespace nodeagent
