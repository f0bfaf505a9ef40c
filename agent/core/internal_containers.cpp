#include "agent/core/internal_containers.hpp"

#include <algorithm>
#include <array>

namespace nodeagent::core {

namespace {

constexpr std::array kWords{
    std::pair{ContainerKind::Normal, std::string_view("NORMAL")},
    std::pair{ContainerKind::NamespacePause, std::string_view("NAMESPACE_PAUSE")},
    std::pair{ContainerKind::NetworkPause, std::string_view("CNI_PAUSE")},
};

std::shared_ptr<const model::Container> pause_container(std::string_view name) {
    model::Container pause;
    pause.name = name;
    pause.image = kPauseImage;
    pause.essential = true;
    return std::make_shared<const model::Container>(std::move(pause));
}

}  // namespace

std::string_view to_string(ContainerKind kind) {
    const auto* const row = std::find_if(kWords.begin(), kWords.end(), [&](const auto& w) { return w.first == kind; });
    return row == kWords.end() ? std::string_view() : row->second;
}

std::optional<ContainerKind> parse_container_kind(std::string_view word) {
    const auto* const row = std::find_if(kWords.begin(), kWords.end(), [&](const auto& w) { return w.second == word; });
    return row == kWords.end() ? std::nullopt : std::optional(row->first);
}

std::shared_ptr<const model::Container> internal_definition(ContainerKind kind) {
    static const auto kNamespacePause = pause_container(kNamespacePauseName);
    static const auto kNetworkPause = pause_container(kNetworkPauseName);
    switch (kind) {
        case ContainerKind::Normal: return nullptr;
        case ContainerKind::NamespacePause: return kNamespacePause;
        case ContainerKind::NetworkPause: return kNetworkPause;
    }
    return nullptr;
}

ContainerKind kind_named(std::string_view container_name) {
    if (container_name == kNamespacePauseName) return ContainerKind::NamespacePause;
    const bool network = container_name == kNetworkPauseName ||
                         container_name.starts_with(std::string(kNetworkPauseName) + "-");  // Service Connect
    return network ? ContainerKind::NetworkPause : ContainerKind::Normal;
}

std::vector<ContainerKind> needed_internal_containers(const model::Task& task) {
    if (task.pid_mode == "task" || task.ipc_mode == "task") return {ContainerKind::NamespacePause};
    return {};
}

}  // namespace nodeagent::core
