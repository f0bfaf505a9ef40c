#include "agent/engine/spec/volumes.hpp"

#include <gtest/gtest.h>

#include "tests/unit/agent/engine/spec/spec_task.hpp"

namespace nodeagent::engine {
namespace {

model::Volume host(const std::string& name, const std::string& path) {
    return {.name = name, .type = "host", .host = model::HostVolume{path}, .docker = {}, .efs = {}};
}
model::Volume docker(const std::string& name, const std::string& scope) {
    model::DockerVolume configuration;
    configuration.scope = scope;
    return {.name = name, .type = "docker", .host = {}, .docker = configuration, .efs = {}};
}

TEST(Volumes, BindAPathTheirOwnNameOrAGeneratedOne) {
    model::Task definition = *one_container_task({}).definition;
    definition.volumes = {host("path", "/srv"), host("empty", ""), docker("scratch", "task"),
                          docker("common", "shared")};
    const core::TaskState task = prepared(definition);
    EXPECT_EQ(*bind_source(task, "path"), "/srv");
    EXPECT_EQ(*bind_source(task, "empty"), "ecs-fam-7-empty-<rand>");
    EXPECT_EQ(*bind_source(task, "scratch"), "ecs-fam-7-scratch-<rand>");
    EXPECT_EQ(*bind_source(task, "common"), "common");
    EXPECT_EQ(bind_source(task, "absent").error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace nodeagent::engine
