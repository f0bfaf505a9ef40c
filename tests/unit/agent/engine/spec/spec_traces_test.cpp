// The documents computed from the payloads of the traces against what the reference's containers were inspected as.

#include <gtest/gtest.h>

#include <algorithm>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/engine/spec/container_spec.hpp"
#include "tests/unit/agent/engine/spec/spec_task.hpp"

namespace nodeagent::engine {
namespace {

std::map<std::string, core::TaskState> tasks_of(const std::string& scenario) {
    std::map<std::string, core::TaskState> tasks;
    for (const Json& sent : read_test_json("traces/" + scenario + "/payload.json")) {
        const Json& message = sent["message"];
        if (message.value("type", "") != "PayloadMessage") continue;
        const auto payload = decode_document<model::PayloadMessage>(message["message"]);
        EXPECT_TRUE(payload) << (payload ? "" : payload.error().what);
        for (const auto& task : payload->tasks) tasks.try_emplace(task->family, prepared(*task));
    }
    return tasks;
}

/// As the traces' normaliser leaves it: dynamic ports have no number, links are listed with their target.
Json normalised(const std::string& field, Json value, const std::string& own_name) {
    if (field == "Links" && value.empty()) return nullptr;
    if (field == "Links") {
        for (Json& link : value) {
            const std::string words = link;
            const auto parts = split(words, ':');
            link = "/" + std::string(parts[0]) + ":/" + own_name + "/" + std::string(parts[1]);
        }
        std::sort(value.begin(), value.end());
    }
    if (field == "PortBindings") {
        for (Json& hosts : value) {
            for (Json& host : hosts) {
                if (parse_integer(host["HostPort"].get<std::string>()).value_or(0) >= 40000)
                    host["HostPort"] = "<dynport>";
            }
        }
    }
    if (field == "LogConfig" && value.value("Type", "") == "json-file" && !value.contains("Config"))
        value["Config"] = {};
    return value;
}

std::string expected_text(const Json& inspected, const char* part, const std::string& field) {
    if (!inspected[part].contains(field)) return "null";
    Json value = inspected[part][field];
    if (field == "Links" && value.is_array()) std::sort(value.begin(), value.end());  // Docker keeps no order
    return value.dump();
}

class SpecOfTrace : public ::testing::TestWithParam<const char*> {};

TEST_P(SpecOfTrace, IsWhatTheReferencesContainersShow) {
    const auto tasks = tasks_of(GetParam());
    const Json moments = read_test_json(std::string("traces/") + GetParam() + "/docker_inspect.json");
    SpecContext context;
    context.cluster = "judge";
    context.region = "us-west-2";
    int compared = 0;
    for (const auto& [moment, containers] : moments.items()) {
        for (const auto& [key, inspected] : containers.items()) {
            SCOPED_TRACE(moment + " " + key);
            const auto parts = split(key, '/');
            const core::TaskState& task = tasks.at(std::string(parts[0]));
            const core::ContainerState& container = *task.find(parts[1]);
            context.cgroup_parent = "/ecs/" + core::task_id(task.arn);
            core::TaskState credentialed = task;
            const std::string environment = inspected["Config"]["Env"].dump();
            if (const auto at = environment.find("/v2/credentials/"); at != std::string::npos) {
                credentialed.credentials_id = environment.substr(at + 16, environment.find('"', at) - at - 16);
            }
            const auto spec = container_spec(credentialed, container, context);
            ASSERT_TRUE(spec) << (spec ? "" : spec.error().message);
            EXPECT_EQ("/" + spec->name, inspected["Name"]);
            for (const auto& [field, value] : spec->config.items()) {
                if (field == "ExposedPorts" && value.empty()) continue;  // an inspection leaves it out
                if (field == "Healthcheck" && value.is_null()) continue;
                EXPECT_EQ(value.dump(), expected_text(inspected, "Config", field)) << field;
            }
            for (const auto& [field, value] : spec->host_config.items()) {
                EXPECT_EQ(normalised(field, value, spec->name).dump(), expected_text(inspected, "HostConfig", field))
                    << field;
            }
            ++compared;
        }
    }
    EXPECT_GT(compared, 0);
}

INSTANTIATE_TEST_SUITE_P(Reference, SpecOfTrace, ::testing::Values("s_inspect", "o_volumes", "g_ports", "i_metadata"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace nodeagent::engine
