#pragma once
// Where the containers of a task log to, for `ecs-node logs`: names and places only, never an option that could hold a
// secret, an environment or a key.

#include <string>
#include <vector>

#include "metadata/message.hpp"

namespace nodeagent::metadata {

struct ContainerLogs {
    std::string name;
    std::string container_id;                     ///< empty: not created
    std::string known;                            ///< status: "RUNNING", "STOPPED"
    bool internal = false;                        ///< of the agent's own making: a pause container
    std::string driver;                           ///< "awslogs"; empty: the runtime's own choice
    std::string path;                             ///< json-file on containerd: the file that is written now
    std::string group, stream, region, endpoint;  ///< awslogs; an empty endpoint is the region's
    std::string problem;                          ///< why one of them cannot be told; for people
};

struct TaskLogs {
    std::string arn;
    std::string known;
    std::string runtime;      ///< "docker", "containerd"
    std::string docker_host;  ///< Docker: "unix:///var/run/docker.sock"
    std::string docker_cert_path;
    bool docker_tls_verify = false;
    std::vector<ContainerLogs> containers;
};

[[nodiscard]] Response task_logs_document(const TaskLogs& logs);

}  // namespace nodeagent::metadata
