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
    configuration.driver = "local";
    configuration.labels = {{"kind", scope}};
    configuration.driver_opts = {{"type", "tmpfs"}};
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

TEST(Volumes, AreCreatedAsAskedOrLocal) {
    const runtime::VolumeSpec plain = volume_spec(host("empty", ""), "n");
    EXPECT_EQ(plain.driver, "local");
    EXPECT_TRUE(plain.labels.empty());
    const runtime::VolumeSpec asked = volume_spec(docker("scratch", "task"), "n");
    EXPECT_EQ(asked.name, "n");
    EXPECT_EQ(asked.driver_opts.at("type"), "tmpfs");
    EXPECT_EQ(asked.labels.at("kind"), "task");
}

TEST(Volumes, MatchWhenLabelsAndOptionsAreTheSame) {
    const model::Volume wanted = docker("common", "shared");
    runtime::VolumeSpec existing = volume_spec(wanted, "common");
    EXPECT_TRUE(same_configuration(existing, *wanted.docker));
    existing.labels["more"] = "1";
    EXPECT_FALSE(same_configuration(existing, *wanted.docker));
}

}  // namespace
}  // namespace nodeagent::engine
