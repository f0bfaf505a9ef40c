#pragma once
// Samples every running container once a second and keeps what readers of statistics need: the telemetry session, the
// /stats routes, exporters. Which containers run comes from the engine's snapshots, what they use from the kernel; no
// daemon is asked. stats.md.
//
// run() belongs to one shard, which nothing that must answer fast shares; the other functions may be called from any.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/ecs/telemetry_source.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/telemetry/container_reader.hpp"
#include "agent/telemetry/sample_window.hpp"
#include "agent/telemetry/usage.hpp"
#include "cgroups/hierarchy.hpp"
#include "metadata/stats_source.hpp"

namespace nodeagent::telemetry {

namespace asio = boost::asio;

struct CollectorOptions {
    cgroups::Hierarchy hierarchy;
    std::string proc = "/proc";
    std::chrono::nanoseconds interval = std::chrono::seconds(1);
    std::size_t window = 80;  ///< samples per container (stats.md 1)
    bool disabled = false;    ///< ECS_DISABLE_METRICS: nothing is tracked
    unsigned cpus = 1;        ///< that the agent may run on
    std::uint64_t machine_memory = 0;
};

/// As the settings ask for it: streaming's second, or the polling interval with its shorter memory.
struct Sampling {
    std::chrono::nanoseconds interval;
    std::size_t window;
};
[[nodiscard]] Sampling sampling(bool poll, std::chrono::nanoseconds poll_interval);

/// What is known of one running container; valid during the call that hands it over.
struct Reading {
    const model::TaskView& task;
    const model::ContainerView& container;
    const Usage& now;
    const Usage* before;  ///< null: `now` is the first
    const SampleWindow& window;
};

class Collector final : public ecs::TelemetrySource, public metadata::StatsSource {
  public:
    Collector(CollectorOptions options, const model::SnapshotBoard& snapshots, Clock& clock);
    ~Collector() override;
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    /// Samples until cancelled: each container at once when it runs, then every interval.
    asio::awaitable<void> run();
    /// One pass: what runs by the current snapshot is tracked, and sampled if it is due. run() calls it; so may tests.
    void pass();
    /// For a reader of its own, where run() does not sample (ECS_DISABLE_METRICS): one pass. On run()'s shard.
    void sample_on_demand() {
        if (options_.disabled) pass();
    }

    std::optional<std::vector<model::TaskMetric>> take(bool service_connect) override;
    [[nodiscard]] std::optional<metadata::ContainerSample> sample(const std::string& task_arn,
                                                                  const std::string& docker_id) const override;

    /// Every container that has been sampled, in no order. `visit` must not call back.
    void each(const std::function<void(const Reading&)>& visit) const;
    [[nodiscard]] cgroups::Version version() const { return options_.hierarchy.version; }

    struct Counters {
        std::uint64_t samples = 0;
        std::uint64_t missed = 0;        ///< readings that failed, or were not made because a pass came too late
        std::size_t tracked = 0;         ///< containers
        double last_pass_seconds = 0;
        double pass_seconds = 0;         ///< of all passes together
    };
    [[nodiscard]] Counters counters() const;

  private:
    struct Tracked;
    void track_what_runs();
    bool read(Tracked& container, Instant now);
    static void complain(Tracked& container, Instant now, const Error& why);
    [[nodiscard]] static std::optional<model::ContainerMetric> metric_of(const Tracked& container, WallTime now);

    CollectorOptions options_;
    std::chrono::nanoseconds look_;  ///< between passes
    const model::SnapshotBoard& snapshots_;
    Clock& clock_;
    SystemCpu system_cpu_;
    std::shared_ptr<const model::Snapshot> seen_;  ///< run()'s shard only, like scratch_
    Usage scratch_;
    std::uint64_t system_cpu_now_ = 0;

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::unique_ptr<Tracked>> tracked_;  ///< by container id
    Counters counters_;
};

}  // namespace nodeagent::telemetry
