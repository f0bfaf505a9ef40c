#include "agent/telemetry/collector.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "agent/base/log.hpp"
#include "agent/telemetry/restart_base.hpp"
#include "agent/telemetry/stats_document.hpp"

namespace nodeagent::telemetry {

using namespace std::chrono_literals;

namespace {

constexpr auto kYoung = 30s;  // a container so young may lack figures without anything being wrong (stats.md 6)
constexpr auto kFull = 10s;   // so often, a container that does nothing is read in full
constexpr auto kLook = 1s;    // at most so long after it has started or stopped, a container is taken up or let go

bool running(const model::ContainerView& container) {
    return !container.docker_id.empty() && (container.known == model::ContainerStatus::Running ||
                                            container.known == model::ContainerStatus::ResourcesProvisioned);
}

bool measured(const model::Snapshot::ContainerKey& key) {
    return running(key.container()) && !key.task->family.empty();
}

}  // namespace

Sampling sampling(bool poll, std::chrono::nanoseconds poll_interval) {
    constexpr auto publish_interval = 20s;
    constexpr std::size_t intervals_kept = 4;
    if (!poll) return {.interval = 1s, .window = publish_interval / 1s * intervals_kept};
    const double per_publish =
        std::chrono::duration<double>(publish_interval) / std::chrono::duration<double>(poll_interval);
    return {.interval = poll_interval,
            .window = std::max<std::size_t>(1, static_cast<std::size_t>(per_publish * intervals_kept))};
}

struct Collector::Tracked {
    explicit Tracked(std::size_t capacity) : window(capacity) {}
    [[nodiscard]] const model::ContainerView& container() const { return task->containers[index]; }

    // run()'s shard only
    std::int64_t pid = 0;
    std::optional<ContainerReader> reader;
    std::optional<Usage> base;  ///< used before the last restart
    SteadyTime due{};
    SteadyTime full_at{};                     ///< read in full
    std::optional<SteadyTime> failing_since;  ///< not readable since
    bool complained = false;

    // under the mutex
    std::shared_ptr<const model::TaskView> task;
    std::size_t index = 0;
    Usage now, before;
    SampleWindow window;
    mutable std::shared_ptr<const std::string> document;  ///< of `now`, once somebody has asked
};

Collector::Collector(CollectorOptions options, const model::SnapshotBoard& snapshots, Clock& clock)
    : options_(std::move(options)),
      look_(std::min<std::chrono::nanoseconds>(options_.interval, kLook)),
      snapshots_(snapshots),
      clock_(clock),
      system_cpu_(options_.proc) {}

Collector::~Collector() = default;

asio::awaitable<void> Collector::run() {
    if (options_.disabled) co_return;
    SteadyTime next = clock_.now().steady;
    for (;;) {
        pass();
        next += look_;
        if (const SteadyTime now = clock_.now().steady; next < now) next = now + look_;  // what was missed is missed
        co_await clock_.sleep_until(next);
    }
}

void Collector::pass() {
    const SteadyTime began = clock_.now().steady;
    const std::chrono::nanoseconds slack = look_ / 2;  // passes do not come at the nanosecond
    track_what_runs();
    // once for all: the kernel walks every CPU for it, and a container is read at the same moment of each pass
    system_cpu_now_ = system_cpu_.nanoseconds();
    std::uint64_t samples = 0;
    std::uint64_t missed = 0;
    // only this shard adds and removes, so that no lock is held while files are read
    for (const auto& [id, container] : tracked_) {
        const Instant now = clock_.now();
        if (container->pid == 0 || now.steady + slack < container->due) continue;
        if (container->due == SteadyTime{}) container->due = began;  // its first
        const auto late = (now.steady - container->due + slack) / options_.interval;
        missed += static_cast<std::uint64_t>(late);
        container->due = (late > 0 ? began : container->due) + options_.interval;
        ++(read(*container, now) ? samples : missed);
    }
    const std::lock_guard lock(mutex_);
    counters_.samples += samples;
    counters_.missed += missed;
    counters_.tracked = tracked_.size();
    counters_.last_pass_seconds = std::chrono::duration<double>(clock_.now().steady - began).count();
    counters_.pass_seconds += counters_.last_pass_seconds;
}

void Collector::track_what_runs() {
    auto snapshot = snapshots_.current();
    if (snapshot == seen_) return;
    seen_ = snapshot;
    std::vector<decltype(tracked_)::node_type> gone;  // their files are closed when the lock is not held any more
    const std::lock_guard lock(mutex_);
    for (auto it = tracked_.begin(); it != tracked_.end();) {
        const auto known = snapshot->by_docker_id.find(it->first);
        const bool stays = known != snapshot->by_docker_id.end() && measured(known->second);
        const auto next = std::next(it);
        if (!stays) gone.push_back(tracked_.extract(it));
        it = next;
    }
    for (const auto& [id, key] : snapshot->by_docker_id) {
        if (!measured(key)) continue;
        const model::ContainerView& container = key.container();
        auto& tracked = tracked_[id];
        if (!tracked) tracked = std::make_unique<Tracked>(options_.window);
        tracked->task = key.task;
        tracked->index = key.index;
        if (tracked->pid == container.pid || container.pid == 0) continue;
        // another process of the same container: its restart policy has started it again
        if (tracked->window.samples() > 0 && container.restart_count) tracked->base = tracked->now;
        tracked->pid = container.pid;
        tracked->reader.reset();
    }
}

void Collector::complain(Tracked& container, Instant now, const Error& why) {
    // one that has just ended can no longer be read before the engine knows
    if (!container.failing_since) container.failing_since = now.steady;
    if (container.complained || now.steady - *container.failing_since < kYoung) return;
    container.complained = true;
    const bool descriptors = why.kind == ErrorKind::Unavailable;
    log::warn("a running container has no statistics",
              {{"container", container.container().name},
               {"task", container.task->arn},
               {"reason", why.what},
               {"remedy", descriptors ? "raise the limit of open files (LimitNOFILE)"
                                      : "check ECS_CGROUP_PATH and that /proc shows other processes"}});
}

bool Collector::read(Tracked& container, Instant now) {
    using Extent = cgroups::StatisticsReader::Extent;
    if (!container.reader) {
        auto opened = ContainerReader::open(options_.hierarchy, options_.proc,
                                            {.container_id = container.container().docker_id, .pid = container.pid});
        if (!opened) {
            complain(container, now, opened.error());
            return false;
        }
        container.reader = *std::move(opened);
    }
    const bool full = now.steady - container.full_at >= kFull;
    if (const auto done = container.reader->read(scratch_, full ? Extent::Full : Extent::Quick); !done) {
        if (done.error().kind == ErrorKind::NotFound) container.reader.reset();
        complain(container, now, done.error());
        return false;
    }
    if (full) container.full_at = now.steady;
    container.failing_since.reset();
    container.complained = false;
    scratch_.read = now.wall;
    scratch_.read_steady = now.steady;
    scratch_.system_cpu_ns = system_cpu_now_;
    if (container.base) add_base(*container.base, scratch_);

    const std::lock_guard lock(mutex_);
    container.window.add(
        sample_of(scratch_, options_.hierarchy.version, options_.cpus, container.container().restart_count));
    std::swap(container.before, container.now);
    std::swap(container.now, scratch_);
    container.document.reset();
    return true;
}

std::optional<model::ContainerMetric> Collector::metric_of(const Tracked& container, WallTime now) {
    const model::ContainerView& view = container.container();
    const SampleWindow& window = container.window;
    auto cpu = window.cpu();
    auto memory = window.memory();
    if (!cpu || !memory) return std::nullopt;
    const bool young = view.started_at && now - *view.started_at <= kYoung;
    model::ContainerMetric metric;
    metric.container_name = view.name;
    metric.cpu_stats_set = *cpu;
    metric.memory_stats_set = *memory;
    if (auto storage = window.storage(); storage.complete || young) metric.storage_stats_set = storage.set;
    metric.restart_stats_set = window.restarts();
    if (container.task->network_mode == "bridge") {
        if (auto network = window.network(); network.complete || young)
            metric.network_stats_set = std::move(network.set);
    }
    return metric;
}

std::optional<std::vector<model::TaskMetric>> Collector::take(bool /*service_connect*/) {
    if (options_.disabled) return std::nullopt;
    const WallTime now = clock_.now().wall;
    const auto snapshot = snapshots_.current();  // may know more than the last pass did
    const auto& known = snapshot->by_docker_id;
    if (std::none_of(known.begin(), known.end(), [](const auto& entry) { return measured(entry.second); }))
        return std::nullopt;
    std::map<std::string_view, model::TaskMetric> by_task;
    const std::lock_guard lock(mutex_);
    for (const auto& [id, container] : tracked_) {
        const auto at = known.find(id);
        if (at == known.end() || !measured(at->second)) continue;
        auto metric = metric_of(*container, now);
        if (!metric) continue;
        model::TaskMetric& task = by_task[container->task->arn];
        if (task.task_arn.empty()) {
            task.task_arn = container->task->arn;
            task.task_definition_family = container->task->family;
            task.task_definition_version = container->task->version;
        }
        task.container_metrics.push_back(*std::move(metric));
    }
    std::vector<model::TaskMetric> tasks;
    tasks.reserve(by_task.size());
    for (auto& [arn, task] : by_task) tasks.push_back(std::move(task));
    if (!tasks.empty()) {
        for (const auto& [id, container] : tracked_) container->window.mark_told();
    }
    return tasks;
}

std::optional<metadata::ContainerSample> Collector::sample(const std::string& /*task_arn*/,
                                                           const std::string& docker_id) const {
    if (options_.disabled) return std::nullopt;
    const auto snapshot = snapshots_.current();
    const auto known = snapshot->by_docker_id.find(docker_id);
    if (known == snapshot->by_docker_id.end() || !measured(known->second)) return std::nullopt;

    metadata::ContainerSample sample;
    const std::lock_guard lock(mutex_);
    const auto found = tracked_.find(docker_id);
    if (found == tracked_.end() || found->second->window.samples() == 0) return sample;
    const Tracked& container = *found->second;
    if (!container.document) {
        const StatsSubject subject{.name = container.container().docker_name,
                                   .id = docker_id,
                                   .version = options_.hierarchy.version,
                                   .online_cpus = options_.cpus,
                                   .machine_memory = options_.machine_memory};
        const bool first = container.before.read == WallTime{};
        container.document = std::make_shared<const std::string>(
            stats_document(subject, container.now, first ? nullptr : &container.before));
    }
    sample.object = container.document;
    if (const auto& rates = container.window.last_rates())
        sample.rates = metadata::NetworkRates{.received = rates->received, .sent = rates->sent};
    return sample;
}

void Collector::each(const std::function<void(const Reading&)>& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, container] : tracked_) {
        if (container->window.samples() == 0) continue;
        const bool first = container->before.read == WallTime{};
        visit({.task = *container->task,
               .container = container->container(),
               .now = container->now,
               .before = first ? nullptr : &container->before,
               .window = container->window});
    }
}

Collector::Counters Collector::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

}  // namespace nodeagent::telemetry
