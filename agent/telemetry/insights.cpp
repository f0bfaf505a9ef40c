#include "agent/telemetry/insights.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nodeagent::telemetry {

using namespace std::chrono_literals;

namespace {

constexpr double kUnitsPerCpu = 1024;
constexpr double kBytesPerMebibyte = 1048576;

double memory_reserved(const model::ContainerView& container) {
    return static_cast<double>(container.memory_reservation > 0 ? container.memory_reservation : container.memory);
}

double memory_reserved(const model::TaskView& task) {
    if (task.memory > 0) return static_cast<double>(task.memory);
    double sum = 0;
    for (const model::ContainerView& container : task.containers) sum += memory_reserved(container);
    return sum;
}

double cpu_reserved(const model::TaskView& task) {
    if (task.cpu > 0) return task.cpu * kUnitsPerCpu;
    double sum = 0;
    for (const model::ContainerView& container : task.containers) sum += static_cast<double>(container.cpu);
    return sum;
}

void add_known(double figure, double& sum) {
    if (!std::isnan(figure)) sum = figure + (std::isnan(sum) ? 0 : sum);
}

Dimensions only_service(const std::string& name) {
    return {.service = name, .family = {}, .task_id = {}, .container = {}};
}

Dimensions only_family(const std::string& name) {
    return {.service = {}, .family = name, .task_id = {}, .container = {}};
}

}  // namespace

std::optional<MetricMinute> Insights::look(WallTime now, const Readings& readings, const model::Snapshot& snapshot) {
    const WallTime minute = std::chrono::floor<std::chrono::minutes>(now);
    std::optional<MetricMinute> ended;
    if (minute != minute_) {
        const bool goes_on = minute_ != WallTime{} && minute == minute_ + 1min;
        ended = close(now);
        minute_ = minute;
        watched_ = {};
        if (goes_on) watch(minute, now);
    } else {
        watch(last_look_, now);
    }
    last_look_ = now;
    ++looks_;
    readings([this](const Reading& reading) { take(reading); });
    add_ended(snapshot);
    for (auto& [arn, task] : tasks_) {
        if (task.fresh) task.whole.add(task.now);
        task.fresh = false;
        task.now = kNothingKnown;
    }
    count(snapshot);
    return ended;
}

std::optional<MetricMinute> Insights::close(WallTime now) {
    std::optional<MetricMinute> minute;
    if (minute_ != WallTime{}) watch(last_look_, std::min(now, minute_ + 1min));
    if (minute_ != WallTime{} && watched_ > 30s) minute = told();
    minute_ = {};
    tasks_.clear();
    services_.clear();
    running_tasks_ = {};
    return minute;
}

void Insights::watch(WallTime from, WallTime until) {
    constexpr std::chrono::nanoseconds nothing = 0ns;  // the clock was set back
    watched_ += std::clamp<std::chrono::nanoseconds>(until - from, nothing, 2 * interval_);
}

/// What ended containers read and wrote stays in their task's figures, which only grow until the task goes.
void Insights::add_ended(const model::Snapshot& snapshot) {
    std::erase_if(known_, [&](const auto& entry) {
        const Known& known = entry.second;
        return known.look != looks_ && !snapshot.tasks.contains(known.task);
    });
    for (const auto& [id, known] : known_) {
        if (known.look == looks_) continue;
        const auto task = tasks_.find(known.task);
        if (task == tasks_.end()) continue;
        for (const auto use : {Use::Read, Use::Written}) add_known(known.now[use], task->second.now[use]);
    }
}

bool Insights::follow(Known& known, const Reading& reading) const {
    using Operation = cgroups::IoStatistics::Operation;
    const Usage& usage = reading.now;
    if (usage.read_steady == known.read) return false;
    const double seconds = std::chrono::duration<double>(usage.read_steady - known.read).count();
    const bool comparable = known.read != SteadyTime{} && seconds > 0;
    // where a counter went back, the last rate holds until the next reading
    const auto rate = [&](std::uint64_t now, std::uint64_t before, double unit, double& into) {
        if (comparable && now >= before) into = static_cast<double>(now - before) * unit / seconds;
    };
    rate(usage.cgroup.cpu.usage_ns, known.cpu_ns, kUnitsPerCpu / 1e9, known.now[Use::Cpu]);
    known.now[Use::Memory] = static_cast<double>(usage.cgroup.memory.working_set(version_)) / kBytesPerMebibyte;
    known.now[Use::Read] = static_cast<double>(usage.cgroup.io.bytes_of(Operation::Read));
    known.now[Use::Written] = static_cast<double>(usage.cgroup.io.bytes_of(Operation::Write));
    std::optional<NetworkCounters> network;
    if (!usage.interfaces.empty()) network = usage.network();
    if (!network) known.now[Use::Received] = known.now[Use::Sent] = kUnknown;
    if (network && known.network) {
        rate(network->rx_bytes, known.network->rx_bytes, 1, known.now[Use::Received]);
        rate(network->tx_bytes, known.network->tx_bytes, 1, known.now[Use::Sent]);
    }
    known.network = network;
    known.cpu_ns = usage.cgroup.cpu.usage_ns;
    known.read = usage.read_steady;
    return true;
}

Insights::Task& Insights::task_of(const model::TaskView& view) {
    auto [place, first] = tasks_.try_emplace(view.arn);
    Task& task = place->second;
    if (first) {
        task.of = only_family(view.family);
        task.of.task_id = view.arn.substr(view.arn.rfind('/') + 1);
        task.service = view.service_name;
        task.whole.cpu_reserved = cpu_reserved(view);
        task.whole.memory_reserved = memory_reserved(view);
    }
    return task;
}

void Insights::take(const Reading& reading) {
    const model::ContainerView& container = reading.container;
    Known& known = known_[container.docker_id];
    known.look = looks_;
    if (known.task.empty()) known.task = reading.task.arn;
    const bool fresh = follow(known, reading);
    std::optional<std::int64_t> restarted;
    if (const auto& now = container.restart_count) {
        restarted = std::max<std::int64_t>(0, *now - known.restarts.value_or(*now));
        known.restarts = now;
    }

    Task& task = task_of(reading.task);
    task.fresh = task.fresh || fresh;
    if (restarted) task.whole.restarts = task.whole.restarts.value_or(0) + *restarted;
    for (std::size_t use = 0; use < kUses; ++use) add_known(known.now[use], task.now[use]);

    if (!detailed_ || container.type != "NORMAL") return;
    Consumption& own = task.containers[container.name];
    own.cpu_reserved = static_cast<double>(container.cpu);
    own.memory_reserved = memory_reserved(container);
    if (fresh) own.add(known.now);
    if (restarted) own.restarts = own.restarts.value_or(0) + *restarted;
    if (container.health_checked && container.health.status != model::HealthStatus::Unknown) {
        if (!own.unhealthy) own.unhealthy.emplace();
        own.unhealthy->add(container.health.status == model::HealthStatus::Unhealthy ? 1 : 0);
    }
}

void Insights::count(const model::Snapshot& snapshot) {
    std::uint32_t running = 0;
    for (auto& [name, service] : services_) service.running_now = service.pending_now = 0;
    for (const auto& [arn, task] : snapshot.tasks) {
        const bool runs = task->known == model::TaskStatus::Running;
        const bool pends = task->known < model::TaskStatus::Running && task->desired != model::TaskStatus::Stopped;
        running += runs ? 1 : 0;
        if (task->service_name.empty() || (!runs && !pends)) continue;
        Service& service = services_[task->service_name];
        ++(runs ? service.running_now : service.pending_now);
    }
    running_tasks_.add(running);
    for (auto& [name, service] : services_) {
        service.running.add(service.running_now);
        service.pending.add(service.pending_now);
    }
}

MetricMinute Insights::told() const {
    std::map<Dimensions, Sheet> sheets;
    Sheet& cluster = sheets[Dimensions{}];
    tell(cluster, Metric::ContainerInstanceCount, 1);
    tell(cluster, Metric::TaskCount, running_tasks_, true);
    for (const auto& [name, service] : services_) {
        Sheet& sheet = sheets[only_service(name)];
        tell(sheet, Metric::RunningTaskCount, service.running, true);
        tell(sheet, Metric::PendingTaskCount, service.pending, true);
    }
    for (const auto& [arn, task] : tasks_) {
        tell_among_tasks(cluster, task.whole);
        tell_among_tasks(sheets[only_family(task.of.family)], task.whole);
        if (!task.service.empty()) tell_among_tasks(sheets[only_service(task.service)], task.whole);
        if (!detailed_) continue;
        tell_task(sheets[task.of], task.whole);
        for (const auto& [name, container] : task.containers) {
            Dimensions of = task.of;
            of.container = name;
            tell_container(sheets[std::move(of)], container, task.whole);
        }
    }

    MetricMinute minute{.start = minute_, .series = {}};
    for (auto& [of, data] : sheets) {
        if (!data.empty()) minute.series.push_back({.of = of, .data = std::move(data)});
    }
    return minute;
}

}  // namespace nodeagent::telemetry
