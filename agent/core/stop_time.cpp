#include "agent/core/stop_time.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "agent/core/container_facts.hpp"
#include "agent/core/dependencies.hpp"
#include "agent/core/internal_containers.hpp"

namespace nodeagent::core {

namespace {

using std::chrono::seconds;
using Known = std::map<std::string, seconds>;

/// From the first stop of those before it to its own end. Payloads with cycles are not accepted.
seconds until_stopped(const TaskState& task, const ContainerState& container, const Settings& settings, Known& known) {
    if (const auto found = known.find(container.name); found != known.end()) return found->second;
    seconds before{0};
    for (const ContainerState& other : task.containers) {
        if (other.known == ContainerStatus::Stopped || other.name == container.name) continue;
        const std::vector<Ordering> needs = orderings(*other.definition);
        const bool waits =
            (is_internal(container) && !is_internal(other)) ||
            std::any_of(needs.begin(), needs.end(), [&](const Ordering& o) { return o.on == container.name; });
        if (waits) before = std::max(before, until_stopped(task, other, settings, known));
    }
    return known[container.name] = before + stop_grace(container, settings.stop_timeout);
}

}  // namespace

seconds longest_stop(const TaskState& task, const Settings& settings) {
    Known known;
    seconds longest{0};
    for (const ContainerState& container : task.containers) {
        if (container.known == ContainerStatus::Stopped) continue;
        longest = std::max(longest, until_stopped(task, container, settings, known));
    }
    return longest;
}

}  // namespace nodeagent::core
