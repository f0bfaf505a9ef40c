#pragma once
// Tasks whose containers use what a test says, as the collector would hand it over.
//   ContainerReadings host;
//   auto& web = host.run("web", "shop", {ContainerReadings::container("app", 256, 512)});
//   web.uses_cpu(0, 500'000'000);
//   host.read(now);

#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/base/random.hpp"
#include "agent/telemetry/collector.hpp"

namespace nodeagent::fakes {

class ContainerReadings {
  public:
    struct Running {
        std::shared_ptr<model::TaskView> task;
        std::vector<telemetry::Usage> usage;  ///< by container
        bool read = true;                     ///< false: its readings fail
        std::set<std::size_t> ended{};        ///< containers

        void uses_cpu(std::size_t container, std::uint64_t nanoseconds) {
            usage[container].cgroup.cpu.usage_ns += nanoseconds;
        }
        void holds_memory(std::size_t container, std::uint64_t mebibytes) {
            usage[container].cgroup.memory.usage = mebibytes << 20U;
        }
        void receives(std::size_t container, std::uint64_t bytes) {
            auto& interfaces = usage[container].interfaces;
            if (interfaces.empty()) interfaces.push_back({.name = "eth0", .counters = {}});
            interfaces[0].counters.rx_bytes += bytes;
        }
        void writes(std::size_t container, std::uint64_t bytes) {
            using Operation = cgroups::IoStatistics::Operation;
            auto& entries = usage[container].cgroup.io.bytes;
            if (entries.empty()) entries.push_back({.major = 8, .minor = 0, .operation = Operation::Write, .value = 0});
            entries[0].value += bytes;
        }
    };

    static model::ContainerView container(std::string name, std::int64_t cpu, std::int64_t memory) {
        model::ContainerView view;
        view.name = std::move(name);
        view.cpu = cpu;
        view.memory = memory;
        view.known = model::ContainerStatus::Running;
        return view;
    }

    /// The nth task has the ARN ".../n".
    Running& run(std::string family, std::string service, std::vector<model::ContainerView> containers) {
        auto task = std::make_shared<model::TaskView>();
        task->arn = "arn:aws:ecs:us-west-2:123456789012:task/shop/" + std::to_string(tasks_.size() + 1);
        task->family = std::move(family);
        task->service_name = std::move(service);
        task->desired = task->known = model::TaskStatus::Running;
        for (model::ContainerView& one : containers) one.docker_id = task->arn + one.name;
        task->containers = std::move(containers);
        const std::size_t count = task->containers.size();
        return tasks_.emplace_back(Running{.task = std::move(task), .usage = std::vector<telemetry::Usage>(count)});
    }
    void end(const Running& task) {
        std::erase_if(tasks_, [&](const Running& one) { return one.task == task.task; });
    }

    /// Every container uses so much CPU more.
    void work(std::uint64_t nanoseconds) {
        for (Running& one : tasks_) {
            for (telemetry::Usage& usage : one.usage) usage.cgroup.cpu.usage_ns += nanoseconds;
        }
    }
    /// Every container does something of everything, never the same.
    void be_busy() {
        for (Running& one : tasks_) {
            for (std::size_t i = 0; i < one.usage.size(); ++i) {
                one.uses_cpu(i, noise() % 100'000'000);
                one.usage[i].cgroup.memory.usage = noise() % 500'000'000;
                one.receives(i, noise() % 1'000'000);
                one.usage[i].interfaces[0].counters.tx_bytes += noise() % 1'000'000;
                one.writes(i, noise() % 1'000'000);
            }
        }
    }
    /// Every container is read at `now`.
    void read(Instant now) {
        for (Running& one : tasks_) {
            if (!one.read) continue;
            for (telemetry::Usage& usage : one.usage) {
                usage.read = now.wall;
                usage.read_steady = now.steady;
            }
        }
    }

    void each(const std::function<void(const telemetry::Reading&)>& visit) const {
        for (const Running& one : tasks_) {
            for (std::size_t i = 0; i < one.usage.size(); ++i) {
                if (one.usage[i].read == WallTime{} || one.ended.contains(i)) continue;
                visit({.task = *one.task,
                       .container = one.task->containers[i],
                       .now = one.usage[i],
                       .before = nullptr,
                       .window = window_});
            }
        }
    }

    [[nodiscard]] std::shared_ptr<const model::Snapshot> snapshot() const {
        auto snapshot = std::make_shared<model::Snapshot>();
        for (const Running& one : tasks_) snapshot->tasks[one.task->arn] = one.task;
        return snapshot;
    }

  private:
    std::uint64_t noise() { return random_() >> 8U; }

    Random random_{1};
    std::list<Running> tasks_;  // references stay good
    telemetry::SampleWindow window_{1};
};

}  // namespace nodeagent::fakes
