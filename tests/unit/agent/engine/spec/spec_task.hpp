#pragma once
// Payload tasks as TaskState with names and ports a test can foresee.

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "agent/base/json.hpp"
#include "agent/core/task_state.hpp"
#include "agent/engine/spec/host_ports.hpp"
#include "agent/model/payload.hpp"

namespace nodeagent::engine {

inline Json read_test_json(const std::string& name) {
    std::ifstream file(std::string(NODEAGENT_TEST_DATA) + "/" + name);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    return Json::parse(text);
}

/// Docker names end in "<rand>", the metadata id is "<uuid>" and dynamic ports start at 40000.
inline core::TaskState prepared(model::Task definition) {
    core::TaskState task;
    task.arn = definition.arn;
    task.definition = std::make_shared<const model::Task>(std::move(definition));
    const model::Task& payload = *task.definition;
    const auto name = [&payload](const std::string& what) {
        return "ecs-" + payload.family + "-" + payload.version + "-" + what + "-<rand>";
    };
    PortCursor cursor;
    for (const model::Container& container : payload.containers) {
        core::ContainerState state;
        state.name = container.name;
        // shares ownership with the task's definition
        state.definition = std::shared_ptr<const model::Container>(task.definition, &container);
        state.docker_name = name(container.name);
        state.endpoint_id = "<uuid>";
        const auto ports = assign_host_ports(container, {40000, 41000}, cursor, [](auto, auto) { return true; });
        if (ports) state.port_assignments = *ports;
        task.containers.push_back(std::move(state));
    }
    for (const model::Volume& volume : payload.volumes) {
        if (volume.host && !volume.host->source_path.empty()) continue;
        core::ResourceState resource;
        resource.kind = core::ResourceState::Kind::DockerVolume;
        resource.name = volume.name;
        resource.shared = volume.docker && volume.docker->scope == "shared";
        resource.docker_name = resource.shared ? volume.name : name(volume.name);
        task.resources.push_back(std::move(resource));
    }
    return task;
}

/// One container called "web", as `definition` says.
inline core::TaskState one_container_task(model::Container definition) {
    model::Task task;
    task.arn = "arn:aws:ecs:us-west-2:111122223333:task/c/0123456789abcdef0123456789abcdef";
    task.family = "fam";
    task.version = "7";
    definition.name = "web";
    if (definition.image.empty()) definition.image = "nginx:1.27";
    task.containers.push_back(std::move(definition));
    return prepared(std::move(task));
}

}  // namespace nodeagent::engine
