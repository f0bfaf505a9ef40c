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

bool running(const model::ContainerView& container) {
    return !container.docker_id.empty() && (container.known == model::ContainerStatus::Running ||
                                            container.known == model::ContainerStatus::ResourcesProvisioned);
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
    bool complained = false;

    // under the mutex
    std::shared_ptr<const model::TaskView> task;
    std::size_t index = 0;
    Usage now, before;
    SampleWindow window;
    mutable std::shared_ptr<const std::string> document;  ///< of `now`, once somebody has asked
};

Collector::Collector(CollectorOptions options, const model::SnapshotBoard& snapshots, Clock& clock)
    : options_(std::move(options)), snapshots_(snapshots), clock_(clock), system_cpu_(options_.proc) {}

Collector::~Collector() = default;

asio::awaitable<void> Collector::run() {
    if (options_.disabled) co_return;
    SteadyTime next = clock_.now().steady;
    for (;;) {
        pass();
        next += options_.interval;
        const SteadyTime now = clock_.now().steady;
        if (next < now) {
            const auto skipped = static_cast<std::uint64_t>((now - next) / options_.interval) + 1;
            next += static_cast<std::int64_t>(skipped) * options_.interval;
            const std::lock_guard lock(mutex_);
            counters_.missed += skipped * tracked_.size();
        }
        co_await clock_.sleep_until(next);
    }
}

void Collector::pass() {
    const SteadyTime began = clock_.now().steady;
    track_what_runs();
    // once for all: the kernel walks every CPU for it, and a container is read at the same moment of each pass
    system_cpu_now_ = system_cpu_.nanoseconds();
    std::uint64_t samples = 0;
    std::uint64_t missed = 0;
    // only this shard adds and removes, so that no lock is held while files are read
    for (const auto& [id, container] : tracked_) {
        if (container->pid == 0) continue;
        ++(read(*container) ? samples : missed);
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
    const std::lock_guard lock(mutex_);
    std::erase_if(tracked_, [&](const auto& entry) {
        const auto known = snapshot->by_docker_id.find(entry.first);
        return known == snapshot->by_docker_id.end() || !running(known->second.container());
    });
    for (const auto& [id, key] : snapshot->by_docker_id) {
        const model::ContainerView& container = key.container();
        if (!running(container) || key.task->family.empty()) continue;
        auto& tracked = tracked_[id];
        if (!tracked) tracked = std::make_unique<Tracked>(options_.window);
        tracked->task = key.task;
        tracked->index = key.index;
        if (tracked->pid == container.pid) continue;
        // another process: the restart policy has started the container again
        if (tracked->window.samples() > 0 && container.pid != 0) tracked->base = tracked->now;
        if (container.pid != 0) tracked->pid = container.pid;
        tracked->reader.reset();
        tracked->complained = false;
    }
}

bool Collector::read(Tracked& container) {
    const auto missed = [&](const Error& why) {
        container.reader.reset();
        // a container that has just ended is no longer readable before the engine knows; every other cause stays
        if (!std::exchange(container.complained, true))
            log::debug("no statistics of a container", {{"container", container.container().name}, {"reason", why.what}});
        return false;
    };
    if (!container.reader) {
        const std::string& mode = container.task->network_mode;
        auto opened = ContainerReader::open(
            options_.hierarchy, options_.proc,
            {.container_id = container.container().docker_id, .pid = container.pid, .own_network = mode != "host"});
        if (!opened) return missed(opened.error());
        container.reader = *std::move(opened);
    }
    if (const auto done = container.reader->read(scratch_); !done) return missed(done.error());
    scratch_.read = clock_.now().wall;
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
    const bool young = !view.started_at || now - *view.started_at <= kYoung;
    model::ContainerMetric metric;
    metric.container_name = view.name;
    metric.cpu_stats_set = *cpu;
    metric.memory_stats_set = *memory;
    if (auto storage = window.storage(); storage.complete || young) metric.storage_stats_set = storage.set;
    metric.restart_stats_set = window.restarts();
    const std::string& mode = container.task->network_mode;
    if (mode.empty() || mode == "bridge") {
        if (auto network = window.network(); network.complete || young) metric.network_stats_set = std::move(network.set);
    }
    return metric;
}

std::optional<std::vector<model::TaskMetric>> Collector::take(bool /*service_connect*/) {
    const WallTime now = clock_.now().wall;
    const std::lock_guard lock(mutex_);
    if (tracked_.empty()) return std::nullopt;
    std::map<std::string_view, model::TaskMetric> by_task;
    for (const auto& [id, container] : tracked_) {
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
    if (known == snapshot->by_docker_id.end() || !running(known->second.container())) return std::nullopt;

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
