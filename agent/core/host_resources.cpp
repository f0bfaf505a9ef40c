#include "agent/core/host_resources.hpp"

#include <algorithm>
#include <cmath>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::core {

namespace {

constexpr std::int64_t kMiB = 1024 * 1024;
constexpr double kSharesPerCpu = 1024;

/// hostConfig.MemoryReservation in MiB, if it is given; the document may be damaged, which create will say.
std::int64_t memory_reservation(const model::Container& container) {
    if (!container.docker_config || container.docker_config->host_config.empty()) return 0;
    const Result<Json> host_config = parse_json(container.docker_config->host_config);
    if (!host_config || !host_config->is_object()) return 0;
    const Json* reservation = json_detail::member(*host_config, "MemoryReservation");
    return reservation != nullptr && reservation->is_number_integer() ? reservation->get<std::int64_t>() / kMiB : 0;
}

template <class T>
std::optional<T> first_common(const std::set<T>& a, const std::set<T>& b) {
    const auto found = std::find_if(a.begin(), a.end(), [&](const T& item) { return b.contains(item); });
    return found == a.end() ? std::nullopt : std::optional<T>(*found);
}

std::string of(std::int64_t wanted, std::int64_t available) {
    return std::to_string(wanted) + ", and " + std::to_string(std::max<std::int64_t>(available, 0)) + " of them ";
}

}  // namespace

HostNeed host_need(const model::Task& task) {
    HostNeed need;
    const bool own_network = equals_ignoring_case(task.network_mode, "awsvpc");
    for (const model::Container& container : task.containers) {
        if (task.cpu <= 0) need.cpu += container.cpu;
        if (task.memory <= 0) {
            const std::int64_t reserved = memory_reservation(container);
            need.memory += reserved > 0 ? reserved : container.memory;
        }
        for (const model::PortMapping& mapping : container.port_mappings) {
            if (own_network || mapping.host_port <= 0)
                continue;  // dynamic ports are found when the container is created
            auto& ports = mapping.protocol.value_or("tcp") == "udp" ? need.udp : need.tcp;
            ports.insert(static_cast<std::uint16_t>(mapping.host_port));
        }
    }
    if (task.cpu > 0) need.cpu = static_cast<std::int64_t>(std::trunc(task.cpu * kSharesPerCpu));
    if (task.memory > 0) need.memory = task.memory;
    for (const model::Association& association : task.associations) {
        if (association.type == "gpu") need.gpus.insert(association.name);
    }
    return need;
}

bool counts_on_host(const model::Task& task) { return !equals_ignoring_case(task.launch_type, "FARGATE"); }

HostResources::HostResources(HostTotals totals) : totals_(std::move(totals)) {}

HostNeed HostResources::counted(HostNeed need) const {
    if (!totals_.gpu_support) need.gpus.clear();
    return need;
}

std::vector<Admission> HostResources::request(const std::string& task_arn, HostNeed need, std::uint64_t arrival) {
    if (held_.contains(task_arn)) return {Admission{task_arn, {}}};
    const bool queued =
        std::any_of(queue_.begin(), queue_.end(), [&](const auto& w) { return w.second.task_arn == task_arn; });
    if (!queued) queue_.try_emplace({arrival, task_arn}, Waiting{task_arn, counted(std::move(need))});
    return settle();
}

std::vector<Admission> HostResources::release(const std::string& task_arn) {
    held_.erase(task_arn);
    std::erase_if(queue_, [&](const auto& waiting) { return waiting.second.task_arn == task_arn; });
    return settle();
}

void HostResources::restore(const std::string& task_arn, HostNeed need) {
    held_.insert_or_assign(task_arn, counted(std::move(need)));
    std::erase_if(queue_, [&](const auto& waiting) { return waiting.second.task_arn == task_arn; });
}

std::vector<Admission> HostResources::settle() {
    std::vector<Admission> admissions;
    while (!queue_.empty()) {
        const auto head = queue_.begin();
        Waiting& waiting = head->second;
        std::string refused = impossible(waiting.need);
        if (refused.empty()) {
            if (!obstacle(waiting.need).empty()) break;  // whoever comes later waits behind it
            held_.emplace(waiting.task_arn, std::move(waiting.need));
        }
        admissions.push_back({std::move(waiting.task_arn), std::move(refused)});
        queue_.erase(head);
    }
    return admissions;
}

HostNeed HostResources::held() const {
    HostNeed sum;
    for (const auto& [arn, need] : held_) {
        sum.cpu += need.cpu;
        sum.memory += need.memory;
        sum.tcp.insert(need.tcp.begin(), need.tcp.end());
        sum.udp.insert(need.udp.begin(), need.udp.end());
        sum.gpus.insert(need.gpus.begin(), need.gpus.end());
    }
    return sum;
}

std::string HostResources::impossible(const HostNeed& need) const {
    if (need.cpu > totals_.cpu) {
        return "the task asks for " + std::to_string(need.cpu) + " CPU units, this host has " +
               std::to_string(totals_.cpu) + "; run it on a larger instance or ask for less";
    }
    if (need.memory > totals_.memory) {
        return "the task asks for " + std::to_string(need.memory) + " MiB of memory, this host offers " +
               std::to_string(totals_.memory) + "; run it on a larger instance or ask for less";
    }
    const auto reserved = [](const std::set<std::uint16_t>& wanted, const std::vector<std::uint16_t>& taken) {
        return first_common(wanted, std::set<std::uint16_t>(taken.begin(), taken.end()));
    };
    if (const auto port = reserved(need.tcp, totals_.reserved_tcp)) {
        return "host port " + std::to_string(*port) +
               "/tcp is reserved on this host (ECS_RESERVED_PORTS); use another one";
    }
    if (const auto port = reserved(need.udp, totals_.reserved_udp)) {
        return "host port " + std::to_string(*port) +
               "/udp is reserved on this host (ECS_RESERVED_PORTS_UDP); use another one";
    }
    for (const std::string& gpu : need.gpus) {
        if (std::find(totals_.gpus.begin(), totals_.gpus.end(), gpu) == totals_.gpus.end()) {
            return "GPU " + gpu + " is not on this host; the registration may be out of date, restart the agent";
        }
    }
    return {};
}

std::string HostResources::obstacle(const HostNeed& need) const {
    const HostNeed taken = held();
    if (taken.cpu + need.cpu > totals_.cpu)
        return "for CPU units: it needs " + of(need.cpu, totals_.cpu - taken.cpu) + "are free";
    if (taken.memory + need.memory > totals_.memory) {
        return "for MiB of memory: it needs " + of(need.memory, totals_.memory - taken.memory) + "are free";
    }
    const auto port_held = [](std::uint16_t port, std::string_view protocol) {
        return "for host port " + std::to_string(port) + "/" + std::string(protocol) + ", which another task holds";
    };
    if (const auto port = first_common(need.tcp, taken.tcp)) return port_held(*port, "tcp");
    if (const auto port = first_common(need.udp, taken.udp)) return port_held(*port, "udp");
    if (const auto gpu = first_common(need.gpus, taken.gpus)) return "for GPU " + *gpu + ", which another task holds";
    return {};
}

std::string HostResources::explain(const std::string& task_arn) const {
    std::size_t ahead = 0;
    for (const auto& [place, waiting] : queue_) {
        if (waiting.task_arn == task_arn) {
            if (ahead == 0) return "waits " + obstacle(waiting.need);
            return "waits behind " + std::to_string(ahead) + (ahead == 1 ? " task" : " tasks") +
                   " that came earlier; the first of them, " + task_id(queue_.begin()->second.task_arn) + ", waits " +
                   obstacle(queue_.begin()->second.need);
        }
        ++ahead;
    }
    return {};
}

}  // namespace nodeagent::core
