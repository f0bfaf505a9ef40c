#pragma once
// One call of a CNI plugin (the CNI specification 1.0; containerd.md 10.2).

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

struct PluginCall {
    std::string command;  ///< ADD, DEL, CHECK
    std::string container_id;
    std::string netns;  ///< path; "" when it is gone
    std::string interface = "eth0";
    nlohmann::json config;  ///< with name, cniVersion, type and what else the plugin is to know
    std::chrono::milliseconds limit = std::chrono::seconds(30);
};

/// Runs the plugin of `config`'s type. Its result document; null when it printed none. Errors: NotFound (no such
/// plugin, with the package that has it), Timeout, Internal with the plugin's own words.
[[nodiscard]] Result<nlohmann::json> call_plugin(const std::vector<std::string>& folders, const PluginCall& call);

}  // namespace nodeagent::runtime::containerd
