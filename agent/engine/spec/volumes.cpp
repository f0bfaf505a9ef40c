#include "agent/engine/spec/volumes.hpp"

namespace nodeagent::engine {

Result<std::string> bind_source(const core::TaskState& task, std::string_view volume) {
    for (const model::Volume& declared : task.definition->volumes) {
        if (declared.name != volume) continue;
        if (declared.host && !declared.host->source_path.empty()) return declared.host->source_path;
        if (declared.docker && declared.docker->scope == "shared") return declared.name;
        for (const core::ResourceState& resource : task.resources) {
            if (resource.kind == core::ResourceState::Kind::DockerVolume && resource.name == volume) {
                return resource.docker_name;
            }
        }
        return std::string();
    }
    return Error{.kind = ErrorKind::NotFound, .what = "Invalid volume referenced: " + std::string(volume)};
}

}  // namespace nodeagent::engine
