#pragma once
// Records as amazon-ecs-agent 1.105 writes them to agent.db (task-engine.md 6.2, 6.3): every member it writes of a
// plain task, with its spelling, its nulls and its zero times.

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/takeover/bolt_file.hpp"

namespace nodeagent::fakes {

inline constexpr const char* kZeroTime = "0001-01-01T00:00:00Z";

inline nlohmann::json reference_container(const std::string& task_arn, const std::string& name,
                                          const std::string& status) {
    using nlohmann::json;
    const json binding{{"ContainerPort", 80},
                       {"ContainerPortRange", ""},
                       {"HostPort", 32768},
                       {"BindIp", "0.0.0.0"},
                       {"Protocol", "tcp"}};
    json port = binding;
    port["HostPort"] = 0;
    port["BindIp"] = "";
    return {
        {"Name", name},
        {"RuntimeID", ""},
        {"taskARN", task_arn},
        {"V3EndpointID", "9cd43f50-acff-42fe-829e-3ed4aa68f637"},
        {"Image", "busybox:latest"},
        {"ImageID", "sha256:281fc8d130220f569fcdaf500cf8ebc614f5f7227188432f73bc9da19bdbae1b"},
        {"ImageDigest", "sha256:0001"},
        {"Command", json{"sleep", "600"}},
        {"Cpu", 10},
        {"GPUIDs", nullptr},
        {"Memory", 64},
        {"Links", nullptr},
        {"firelensConfiguration", nullptr},
        {"volumesFrom", json::array()},
        {"mountPoints", json::array()},
        {"portMappings", json::array({port})},
        {"secrets", nullptr},
        {"Essential", true},
        {"EntryPoint", nullptr},
        {"environment",
         {{"MODE", "fast"},
          {"AWS_EXECUTION_ENV", "AWS_ECS_EC2"},
          {"ECS_AGENT_URI", "http://169.254.170.2/api/9cd43f50"},
          {"ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/9cd43f50"}}},
        {"environmentFiles", nullptr},
        {"overrides", {{"command", nullptr}}},
        {"dockerConfig",
         {{"config", "{}"},
          {"hostConfig", R"({"NetworkMode":"bridge","CapAdd":[],"CapDrop":[]})"},
          {"version", "1.21"}}},
        {"registryAuthentication", nullptr},
        {"LogsAuthStrategy", ""},
        {"StartTimeout", 0},
        {"StopTimeout", 5},
        {"desiredStatus", status == "STOPPED" ? "STOPPED" : "RUNNING"},
        {"KnownStatus", status},
        {"TransitionDependencySet",
         {{"2", {{"ContainerDependencies", nullptr}, {"ResourceDependencies", json::array()}}}}},
        {"RunDependencies", nullptr},
        {"IsInternal", "NORMAL"},
        {"ApplyingError", nullptr},
        {"SentStatus", status == "PULLED" || status == "CREATED" ? "NONE" : status},
        {"metadataFileUpdated", false},
        {"KnownExitCode", nullptr},
        {"KnownPortBindings", json::array({binding})},
        {"ContainerArn", "arn:aws:ecs:us-west-2:123456789012:container/bench/0/" + name},
        {"containerTornDown", false},
        {"startedAt", "2026-01-02T03:04:06.5Z"},
        {"ContainerHasPortRange", false},
        {"ContainerPortSet", {{"80", json::object()}}},
        {"ContainerPortRangeMap", json::object()},
        {"RestartAggregationDataForStats",
         {{"LastRestartDetectedAt", kZeroTime}, {"LastStatBeforeLastRestart", {{"read", kZeroTime}}}}},
    };
}

/// What the bucket `containers` has of it.
inline nlohmann::json reference_docker_container(std::string id, std::string name, nlohmann::json container) {
    container["RuntimeID"] = id;
    return {{"DockerId", std::move(id)}, {"DockerName", std::move(name)}, {"Container", std::move(container)}};
}

inline nlohmann::json reference_task(const std::string& arn, const std::string& status,
                                     std::vector<nlohmann::json> containers) {
    return {{"Arn", arn},
            {"Family", "it"},
            {"Version", "1"},
            {"ServiceName", ""},
            {"Group", "family:it"},
            {"Containers", std::move(containers)},
            {"associations", nullptr},
            {"resources", nlohmann::json::object()},
            {"volumes", nullptr},
            {"DesiredStatus", status == "STOPPED" ? "STOPPED" : "RUNNING"},
            {"KnownStatus", status},
            {"KnownTime", "2026-01-02T03:04:06.5Z"},
            {"PullStartedAt", "2026-01-02T03:04:05Z"},
            {"PullStoppedAt", "2026-01-02T03:04:05.25Z"},
            {"ExecutionStoppedAt", kZeroTime},
            {"SentStatus", status},
            {"executionCredentialsID", ""},
            {"credentialsID", "b1a6ede6-1a9f-4ab3-a02e-bd3e51b11244"},
            {"ENI", nullptr},
            {"AppMesh", nullptr},
            {"PlatformFields", nlohmann::json::object()},
            {"LaunchType", "EC2"},
            {"NetworkMode", "bridge"}};
}

/// A database with the buckets that the reference makes at its start, and its identity.
inline takeover::BoltBucket reference_database(const std::string& cluster, const std::string& container_instance,
                                               const std::string& ec2_instance) {
    takeover::BoltBucket root;
    for (const char* bucket : {"containers", "eniattachments", "images", "metadata", "resattachments", "tasks"}) {
        root.buckets[bucket];
    }
    const auto keep = [&](const char* key, const std::string& value) {
        root.buckets["metadata"].values[key] = nlohmann::json(value).dump();
    };
    keep("agent-version", "1.105.1");
    keep("availability-zone", "us-west-2a");
    keep("cluster-name", cluster);
    keep("container-instance-arn", container_instance);
    keep("ec2-instance-id", ec2_instance);
    keep("task-manifest-seq-num", "7");
    return root;
}

/// Puts the task and what is known of its containers in their buckets.
inline void add_task(takeover::BoltBucket& root, const nlohmann::json& task,
                     const std::vector<nlohmann::json>& docker_containers) {
    const std::string arn = task.at("Arn");
    const std::string id = arn.substr(arn.rfind('/') + 1);
    root.buckets["tasks"].values[id] = task.dump();
    for (const nlohmann::json& one : docker_containers) {
        const std::string name = one.at("Container").at("Name");
        root.buckets["containers"].values[id + "-" + name] = one.dump();
    }
}

}  // namespace nodeagent::fakes
