#include "tests/integration/crash_matrix/task.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>

namespace nodeagent::crash_matrix {

namespace {

using nlohmann::json;

constexpr const char* kCluster = "bench";
constexpr const char* kInstance =
    "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/0123456789abcdef0123456789abcdef";

json container(const std::string& name, const std::string& image, const std::string& script) {
    const json host_config{{"NetworkMode", "bridge"}};
    return {{"name", name},
            {"image", image},
            {"essential", true},
            {"cpu", 2},
            {"memory", 16},
            {"stopTimeout", 10},
            {"command", {"sh", "-c", script}},
            {"mountPoints", {{{"sourceVolume", kSharedVolume}, {"containerPath", "/shared"}}}},
            {"dockerConfig", {{"config", "{}"}, {"hostConfig", host_config.dump()}, {"version", "1.21"}}}};
}

json role(const TaskOfCell& task) {
    return {{"credentialsId", task.credentials_id},
            {"roleArn", "arn:aws:iam::123456789012:role/matrix"},
            {"accessKeyId", kAccessKey},
            {"secretAccessKey", "not a secret"},
            {"sessionToken", "a token"},
            {"expiration", "2099-01-01T00:00:00Z"}};
}

std::string frame(const char* type, const std::string& message_id, json message) {
    message["messageId"] = message_id;
    message["clusterArn"] = kCluster;
    message["containerInstanceArn"] = kInstance;
    return json{{"type", type}, {"message", std::move(message)}}.dump();
}

}  // namespace

TaskOfCell make_task(int number, const std::string& image) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%032x", number);
    const std::string id(digits);
    return {.arn = "arn:aws:ecs:us-west-2:123456789012:task/bench/" + id,
            .id = id,
            .credentials_id = "credentials-" + id,
            .image = image};
}

std::string payload_frame(const TaskOfCell& task) {
    json server = container(kServer, task.image, "trap 'exit 7' TERM; while :; do sleep 0.05; done");
    server["portMappings"] = {{{"containerPort", 80}, {"hostPort", 0}, {"protocol", "tcp"}}};
    server["mountPoints"].push_back({{"sourceVolume", "scratch"}, {"containerPath", "/scratch"}});
    json ender = container(kEnder, task.image, "while [ ! -e /shared/end ]; do sleep 0.05; done; exit 3");
    ender["dependsOn"] = {{{"containerName", kServer}, {"condition", "START"}}};
    const json volumes = {
        {{"name", kSharedVolume}, {"type", "docker"}, {"dockerVolumeConfiguration", {{"scope", "task"}}}},
        {{"name", "scratch"}, {"type", "host"}, {"host", {{"sourcePath", ""}}}}};
    const json body{{"arn", task.arn},
                    {"family", "matrix"},
                    {"version", "1"},
                    {"desiredStatus", "RUNNING"},
                    {"networkMode", "bridge"},
                    {"cpu", 0.25},
                    {"memory", 64},
                    {"volumes", volumes},
                    {"roleCredentials", role(task)},
                    {"containers", {server, ender}}};
    return frame("PayloadMessage", kPayloadId, {{"seqNum", 1}, {"tasks", {body}}});
}

std::string credentials_frame(const TaskOfCell& task) {
    return frame("IAMRoleCredentialsMessage", "credentials-1",
                 {{"taskArn", task.arn}, {"roleType", "TaskApplication"}, {"roleCredentials", role(task)}});
}

std::string manifest_frame(const TaskOfCell& task, int timeline, const std::string& desired_status) {
    const json listed{{"taskArn", task.arn}, {"taskClusterArn", kCluster}, {"desiredStatus", desired_status}};
    return frame("TaskManifestMessage", "manifest-" + std::to_string(timeline),
                 {{"tasks", {listed}}, {"timeline", timeline}, {"generatedAt", 1}});
}

}  // namespace nodeagent::crash_matrix
