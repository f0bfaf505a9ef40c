#include "agent/core/host_resources.hpp"

#include <algorithm>
#include <cmath>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

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

HostResources::HostResources(HostTotals totals, QueueRules rules) : totals_(std::move(totals)), rules_(rules) {}

std::vector<Admission> HostResources::request(const std::string& task_arn, HostNeed need, std::uint64_t arrival,
                                              SteadyTime now) {
    if (held_.contains(task_arn)) return {Admission{task_arn, {}}};
    const bool queued =
        std::any_of(queue_.begin(), queue_.end(), [&](const auto& w) { return w.second.task_arn == task_arn; });
    if (queued) return settle(now);
    if (std::string refused = impossible(need); !refused.empty()) return {Admission{task_arn, std::move(refused)}};
    queue_.try_emplace({arrival, task_arn}, Waiting{task_arn, std::move(need)});
    return settle(now);
}

std::vector<Admission> HostResources::release(const std::string& task_arn, SteadyTime now) {
    held_.erase(task_arn);
    std::erase_if(queue_, [&](const auto& waiting) { return waiting.second.task_arn == task_arn; });
    return settle(now);
}

void HostResources::restore(const std::string& task_arn, HostNeed need) {
    held_.insert_or_assign(task_arn, std::move(need));
    std::erase_if(queue_, [&](const auto& waiting) { return waiting.second.task_arn == task_arn; });
}

bool HostResources::passing(SteadyTime now) const {
    if (rules_.overtake_after.count() <= 0 || queue_.empty()) return false;
    const std::chrono::nanoseconds waited = now - head_since_;
    return waited >= rules_.overtake_after && waited < rules_.max_overtaken;
}

std::optional<SteadyTime> HostResources::next_change(SteadyTime now) const {
    if (rules_.overtake_after.count() <= 0 || rules_.max_overtaken <= rules_.overtake_after || queue_.size() < 2) {
        return std::nullopt;
    }
    for (const std::chrono::nanoseconds after : {rules_.overtake_after, rules_.max_overtaken}) {
        const SteadyTime when = head_since_ + std::chrono::duration_cast<SteadyTime::duration>(after);
        if (now < when) return when;
    }
    return std::nullopt;
}

std::vector<Admission> HostResources::settle(SteadyTime now) {
    std::vector<Admission> admissions;
    HostNeed taken = held();
    for (auto place = queue_.begin(); place != queue_.end();) {
        const bool first = place == queue_.begin();
        Waiting& waiting = place->second;
        if (first && waiting.task_arn != head_) {
            head_ = waiting.task_arn;
            head_since_ = now;
        }
        if (!fits(waiting.need, taken)) {
            if (!passing(now)) break;  // whoever comes later waits behind the head
            ++place;
            continue;
        }
        held_.emplace(waiting.task_arn, std::move(waiting.need));
        taken = held();
        admissions.push_back({std::move(waiting.task_arn), {}});
        place = queue_.erase(place);
    }
    if (queue_.empty()) head_.clear();
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

bool HostResources::fits(const HostNeed& need, const HostNeed& taken) const {
    return taken.cpu + need.cpu <= totals_.cpu && taken.memory + need.memory <= totals_.memory &&
           !first_common(need.tcp, taken.tcp) && !first_common(need.udp, taken.udp) &&
           !first_common(need.gpus, taken.gpus);
}

/// "task abc holds 1024, task def 512", the biggest first.
std::string HostResources::holders(const std::function<std::int64_t(const HostNeed&)>& share) const {
    constexpr std::size_t kNamed = 3;
    std::vector<std::pair<std::int64_t, std::string>> shares;
    for (const auto& [arn, need] : held_) {
        if (const std::int64_t part = share(need); part > 0) shares.emplace_back(part, task_id(arn));
    }
    std::sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) {
        return std::pair(-a.first, a.second) < std::pair(-b.first, b.second);
    });
    std::string text;
    for (std::size_t i = 0; i < std::min(kNamed, shares.size()); ++i) {
        text += (i == 0 ? "task " : ", task ") + shares[i].second + (i == 0 ? " holds " : " ") +
                std::to_string(shares[i].first);
    }
    if (shares.size() > kNamed) text += ", others the rest";
    return text;
}

/// "for 512 MiB of memory (300 free; task abc holds 1024) and host port 80/tcp (task def holds it)"
std::string HostResources::missing(const HostNeed& need) const {
    const HostNeed taken = held();
    std::vector<std::string> parts;
    const auto amount = [&](std::int64_t wanted, std::int64_t total, std::int64_t used, std::string_view unit,
                            std::int64_t HostNeed::*member) {
        if (used + wanted <= total) return;
        const std::string who = holders([member](const HostNeed& held) { return held.*member; });
        parts.push_back(std::to_string(wanted) + std::string(unit) + " (" +
                        std::to_string(std::max<std::int64_t>(total - used, 0)) + " free" +
                        (who.empty() ? std::string() : "; " + who) + ")");
    };
    amount(need.cpu, totals_.cpu, taken.cpu, " CPU units", &HostNeed::cpu);
    amount(need.memory, totals_.memory, taken.memory, " MiB of memory", &HostNeed::memory);
    const auto single = [&](const auto& wanted, auto member, const auto& name) {
        for (const auto& one : wanted) {
            const auto holder = std::find_if(held_.begin(), held_.end(),
                                             [&](const auto& held) { return (held.second.*member).contains(one); });
            if (holder != held_.end()) parts.push_back(name(one) + " (task " + task_id(holder->first) + " holds it)");
        }
    };
    single(need.tcp, &HostNeed::tcp, [](std::uint16_t port) { return "host port " + std::to_string(port) + "/tcp"; });
    single(need.udp, &HostNeed::udp, [](std::uint16_t port) { return "host port " + std::to_string(port) + "/udp"; });
    single(need.gpus, &HostNeed::gpus, [](const std::string& gpu) { return "GPU " + gpu; });
    return parts.empty() ? std::string() : "for " + join(parts, " and ");
}

std::string HostResources::explain(const std::string& task_arn, const Instant& now) const {
    const auto own = std::find_if(queue_.begin(), queue_.end(),
                                  [&](const auto& waiting) { return waiting.second.task_arn == task_arn; });
    if (own == queue_.end()) return {};
    const auto ahead = std::distance(queue_.begin(), own);
    const Waiting& head = queue_.begin()->second;
    const auto clock_time = [&](std::chrono::nanoseconds after) {
        const auto left = head_since_ + std::chrono::duration_cast<SteadyTime::duration>(after) - now.steady;
        return rfc3339_seconds(now.wall + std::chrono::duration_cast<WallTime::duration>(left));
    };
    const bool may_be_passed = rules_.overtake_after.count() > 0 && rules_.max_overtaken > rules_.overtake_after;
    const std::chrono::nanoseconds waited = now.steady - head_since_;
    const bool not_yet = may_be_passed && waited < rules_.overtake_after;
    if (ahead == 0) {
        std::string text =
            "waits " + missing(head.need) + ", first of " + std::to_string(queue_.size()) + " in the queue";
        if (queue_.size() < 2 || !may_be_passed) return text;
        if (not_yet) return text + "; later tasks that fit may pass it from " + clock_time(rules_.overtake_after);
        if (passing(now.steady))
            return text + "; later tasks that fit may pass it until " + clock_time(rules_.max_overtaken);
        return text + "; it has waited so long that no task may pass it any more";
    }
    const std::string lacks = missing(own->second.need);
    std::string text = "waits " + (lacks.empty() ? "for its turn" : lacks) + ", number " + std::to_string(ahead + 1) +
                       " of " + std::to_string(queue_.size()) + " in the queue; the first, task " +
                       task_id(head.task_arn) + ", waits " + missing(head.need);
    if (not_yet) text += " and may be passed from " + clock_time(rules_.overtake_after);
    if (may_be_passed && waited >= rules_.max_overtaken) text += " and has waited too long to be passed";
    return text;
}

}  // namespace nodeagent::core
