#include "agent/core/task_state.hpp"

#include <algorithm>

namespace nodeagent::core {

const ContainerState* TaskState::find(std::string_view container_name) const {
    const auto it = std::find_if(containers.begin(), containers.end(),
                                 [&](const ContainerState& c) { return c.name == container_name; });
    return it == containers.end() ? nullptr : &*it;
}

ContainerState* TaskState::find(std::string_view container_name) {
    return const_cast<ContainerState*>(std::as_const(*this).find(container_name));
}

std::string task_id(std::string_view task_arn) { return std::string(task_arn.substr(task_arn.rfind('/') + 1)); }

}  // namespace nodeagent::core
