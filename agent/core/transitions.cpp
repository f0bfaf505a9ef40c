#include "agent/core/transitions.hpp"

#include <algorithm>
#include <array>

namespace nodeagent::core {

namespace {

using S = ContainerStatus;
constexpr std::array kContainerPath{
    Transition{S::None, S::ManifestPulled, Work::ResolveManifest},
    Transition{S::ManifestPulled, S::Pulled, Work::PullImage},
    Transition{S::Pulled, S::Created, Work::Create},
    Transition{S::Created, S::Running, Work::Start},
};

}  // namespace

std::optional<Transition> next_transition(ContainerStatus from) {
    const auto* const row =
        std::find_if(kContainerPath.begin(), kContainerPath.end(), [&](const Transition& t) { return t.from == from; });
    return row == kContainerPath.end() ? std::nullopt : std::optional(*row);
}

ContainerStatus steady_status(ContainerKind kind) {
    switch (kind) {
        case ContainerKind::Normal:
        case ContainerKind::NamespacePause:
        case ContainerKind::NetworkPause: return S::Running;
    }
    return S::Running;
}

TaskStatus as_task_status(const ContainerState& container) {
    if (is_steady(container)) return TaskStatus::Running;
    switch (container.known) {
        case S::None: return TaskStatus::None;
        case S::ManifestPulled:
        case S::Pulled: return TaskStatus::ManifestPulled;
        case S::Created: return TaskStatus::Created;
        case S::Running: return TaskStatus::Created;  // it has further to go
        case S::ResourcesProvisioned: return TaskStatus::Running;
        case S::Stopped: return TaskStatus::Stopped;
    }
    return TaskStatus::None;
}

ContainerStatus as_container_status(TaskStatus desired, ContainerKind kind) {
    switch (desired) {
        case TaskStatus::Created: return S::Created;
        case TaskStatus::Running: return steady_status(kind);
        case TaskStatus::Stopped: return S::Stopped;
        case TaskStatus::None:
        case TaskStatus::ManifestPulled:
        case TaskStatus::Pulled: return S::None;
    }
    return S::None;
}

}  // namespace nodeagent::core
