#pragma once
// An image on this host as containers are made from it: the part of the OCI image configuration that matters at run
// time.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nodeagent::runtime::containerd {

struct ImageHealthcheck {
    std::vector<std::string> test;  ///< empty: none; {"NONE"}: switched off
    std::chrono::nanoseconds interval{}, timeout{}, start_period{};
    int retries = 0;
};

struct ImageConfig {
    std::string id;        ///< digest of the configuration: Docker's image id
    std::string chain_id;  ///< of the top layer, the parent of containers' snapshots; "" for an image without layers
    std::string user;
    std::string working_dir;
    std::vector<std::string> env;
    std::vector<std::string> entrypoint;
    std::vector<std::string> cmd;
    std::vector<std::string> shell;
    std::vector<std::string> volumes;        ///< paths
    std::vector<std::string> exposed_ports;  ///< "80/tcp"
    std::map<std::string, std::string> labels;
    std::string stop_signal;
    std::optional<ImageHealthcheck> healthcheck;
};

}  // namespace nodeagent::runtime::containerd
