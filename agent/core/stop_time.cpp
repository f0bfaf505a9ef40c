#include "agent/core/stop_time.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "agent/core/container_facts.hpp"
#include "agent/core/dependencies.hpp"

namespace nodeagent::core {

namespace {

using std::chrono::seconds;
using Known = std::map<std::string, seconds>;

/// From the first stop of those before it to its own end. Payloads with cycles are not accepted.
seconds until_stopped(const TaskState& task, const ContainerState& container, const Settings& settings, Known& known) {
    if (const auto found = known.find(container.name); found != known.end()) return found->second;
    seconds before{0};
    for (const ContainerState& other : task.containers) {
        if (other.known == ContainerStatus::Stopped) continue;
        for (const model::Dependency& dependency : other.definition->depends_on) {
            if (dependency.container_name != container.name) continue;
            before = std::max(before, until_stopped(task, other, settings, known));
        }
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
