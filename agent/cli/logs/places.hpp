#pragma once
// What the agent's control socket tells of a task's logs (metadata/task_logs.hpp), and what of it is asked for.

#include <string>
#include <vector>

#include "agent/base/json_fields.hpp"
#include "agent/cli/arguments.hpp"
#include "agent/cli/logs/caller_credentials.hpp"

namespace nodeagent::cli {

struct ContainerLogPlace {
    std::string name, container_id, known, driver, path, group, stream, region, endpoint, problem;
    bool internal = false;
    static constexpr auto json_fields() {
        using T = ContainerLogPlace;
        return std::tuple{required_field("name", &T::name),      optional_field("containerId", &T::container_id),
                          optional_field("known", &T::known),    optional_field("internal", &T::internal),
                          optional_field("driver", &T::driver),  optional_field("path", &T::path),
                          optional_field("group", &T::group),    optional_field("stream", &T::stream),
                          optional_field("region", &T::region),  optional_field("endpoint", &T::endpoint),
                          optional_field("problem", &T::problem)};
    }
};

struct TaskLogPlaces {
    std::string task, known, runtime, docker_host, docker_cert_path;
    bool docker_tls_verify = false;
    std::vector<ContainerLogPlace> containers;
    static constexpr auto json_fields() {
        using T = TaskLogPlaces;
        return std::tuple{required_field("task", &T::task),
                          optional_field("known", &T::known),
                          optional_field("runtime", &T::runtime),
                          optional_field("dockerHost", &T::docker_host),
                          optional_field("dockerCertPath", &T::docker_cert_path),
                          optional_field("dockerTlsVerify", &T::docker_tls_verify),
                          required_field("containers", &T::containers)};
    }
    [[nodiscard]] const ContainerLogPlace* container(const std::string& name) const;
};

/// NotFound, Conflict (several tasks begin with `id`), Unavailable, each with what to do.
[[nodiscard]] Result<TaskLogPlaces> ask_log_places(const AskAgent& agent, const std::string& id);

/// Names of the containers whose logs are shown: the one that was asked for, else all but those of the agent's own
/// making. NotFound names those there are.
[[nodiscard]] Result<std::vector<std::string>> shown_containers(const TaskLogPlaces& task, const std::string& wanted);

}  // namespace nodeagent::cli
