#pragma once
// The whole daemon against a real Docker daemon and the harness's control plane. Fixed ports, so one at a time.

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/base/strings.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/harness/agent_process.hpp"
#include "tests/harness/control_plane.hpp"
#include "tests/harness/docker_client.hpp"

namespace nodeagent::daemon_tests {

using namespace std::chrono_literals;
using harness::AgentProcess;
using harness::ControlPlane;
using harness::DockerClient;
using nlohmann::json;

inline constexpr const char* kInstance =
    "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/0123456789abcdef0123456789abcdef";

inline std::string docker_socket() {
    const char* given = std::getenv("NODEAGENT_TEST_DOCKER");
    std::string host = given != nullptr ? given : "unix:///var/run/docker.sock";
    return host.substr(std::string("unix://").size());
}

inline std::string task_arn(const std::string& name) {
    return "arn:aws:ecs:us-west-2:123456789012:task/bench/" + hex((name + std::string(16, '-')).substr(0, 16));
}

inline json container(const std::string& name, std::vector<std::string> command) {
    const json host_config{{"NetworkMode", "bridge"}};
    return {{"name", name},
            {"image", "busybox:latest"},
            {"essential", true},
            {"cpu", 2},
            {"memory", 16},
            {"command", command},
            {"dockerConfig", {{"config", "{}"}, {"hostConfig", host_config.dump()}, {"version", "1.21"}}}};
}

inline json task(const std::string& name, std::vector<json> containers) {
    return {{"arn", task_arn(name)},      {"family", "it"},          {"version", "1"},
            {"desiredStatus", "RUNNING"}, {"networkMode", "bridge"}, {"containers", containers}};
}

class Daemon : public testing::Test {
  protected:
    void TearDown() override {
        agent_.reset();
        DockerClient docker(docker_socket());
        for (const auto& found : docker.call(
                 "GET",
                 "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.amazonaws.ecs.cluster%3Dbench%22%5D%7D")) {
            docker.call("DELETE", "/containers/" + found.at("Id").get<std::string>() + "?force=1&v=1");
        }
        if (HasFailure()) std::cerr << agent_log();
    }

    void start_without_session(std::vector<std::string> extra = {}, const std::string& docker = {}) {
        asked_ = ControlPlane::Clock::now();
        agent_ =
            std::make_unique<AgentProcess>(NODEAGENT_AGENT, control_plane_.endpoint(), directory_,
                                           "unix://" + (docker.empty() ? docker_socket() : docker), std::move(extra));
    }
    void start(std::vector<std::string> extra = {}) {
        start_without_session(std::move(extra));
        ASSERT_TRUE(control_plane_.session_since(asked_, 30s)) << "no session";
    }

    void send(const std::vector<json>& tasks) {
        const std::string id = "m" + std::to_string(++messages_);
        control_plane_.send(json{{"type", "PayloadMessage"},
                                 {"message",
                                  {{"messageId", id},
                                   {"clusterArn", "bench"},
                                   {"containerInstanceArn", kInstance},
                                   {"seqNum", messages_},
                                   {"tasks", tasks}}}}
                                .dump());
    }
    bool acknowledged(const std::string& message_id) {
        return !control_plane_
                    .frame(
                        [&](const json& frame) {
                            return frame.value("type", "") == "AckRequest" &&
                                   frame["message"].value("messageId", "") == message_id;
                        },
                        10s)
                    .is_null();
    }

    /// The task's STOPPED report; everything a person would see of it in one text.
    std::string reasons(const std::string& name) {
        const json report = control_plane_.report_of(task_arn(name), "STOPPED", 60s);
        std::string text = report.is_null() ? "no report" : report.value("reason", "");
        if (report.is_object() && report.contains("containers")) {
            for (const json& one : report["containers"]) text += "; " + one.value("reason", "");
        }
        return text;
    }
    bool runs(const std::string& name) { return !control_plane_.report_of(task_arn(name), "RUNNING", 60s).is_null(); }

    [[nodiscard]] std::string agent_log() const {
        std::ifstream file(directory_ + "/agent.log");
        return {(std::istreambuf_iterator<char>(file)), {}};
    }

    std::vector<std::string> containers_of(const std::string& name) {
        DockerClient docker(docker_socket());
        std::vector<std::string> ids;
        for (const auto& found : docker.call(
                 "GET", "/containers/json?filters=" +
                            percent_encode(json{{"label", {"com.amazonaws.ecs.task-arn=" + task_arn(name)}}}.dump()))) {
            ids.push_back(found.at("Id"));
        }
        return ids;
    }

    fakes::TempDirectory directory_;
    ControlPlane control_plane_;
    std::unique_ptr<AgentProcess> agent_;
    ControlPlane::Clock::time_point asked_;
    int messages_ = 0;
};

}  // namespace nodeagent::daemon_tests
