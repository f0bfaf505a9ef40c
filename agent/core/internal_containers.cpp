#include "agent/core/internal_containers.hpp"

#include <algorithm>
#include <array>

namespace nodeagent::core {

namespace {

constexpr std::array kWords{
    std::pair{ContainerKind::Normal, std::string_view("NORMAL")},
    std::pair{ContainerKind::NamespacePause, std::string_view("NAMESPACE_PAUSE")},
};

std::shared_ptr<const model::Container> namespace_pause() {
    model::Container pause;
    pause.name = kNamespacePauseName;
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
    static const auto kNamespacePause = namespace_pause();
    switch (kind) {
        case ContainerKind::Normal: return nullptr;
        case ContainerKind::NamespacePause: return kNamespacePause;
    }
    return nullptr;
}

std::vector<ContainerKind> needed_internal_containers(const model::Task& task) {
    if (task.pid_mode == "task" || task.ipc_mode == "task") return {ContainerKind::NamespacePause};
    return {};
}

}  // namespace nodeagent::core
