#pragma once
// Calls CNI plugins. https://github.com/containernetworking/cni/blob/spec-v1.0.0/SPEC.md

#include <chrono>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::runtime::containerd {

struct CniCall {
    std::string container_id;
    std::string netns;  ///< path; "" for a DEL whose namespace is gone
    std::string interface = "eth0";
    Json runtime{};  ///< runtimeConfig: {"mac": "02:42:..."}; a plugin gets of it what its "capabilities" declare
};

/// {"name":..,"cniVersion":..,"plugins":[..]}, of a network configuration list.
class Cni {
  public:
    explicit Cni(std::vector<std::string> folders);

    /// Calls the plugins in order, each with the result of the one before; the last one's result. When one fails,
    /// remove() is due. Errors carry the plugin's message; NotFound names the package of a plugin that lacks.
    Result<Json> add(const Json& list, const CniCall& call) const;

    /// Backwards; `result` is what add() answered, null when nobody knows. Safe to repeat. All plugins are called; the
    /// first error is told.
    Result<void> remove(const Json& list, const CniCall& call, const Json& result) const;

  private:
    Result<Json> run(const std::string& command, const Json& list, const Json& plugin, const CniCall& call,
                     const Json& previous, std::chrono::milliseconds timeout) const;
    std::vector<std::string> folders_;
};

/// What a plugin reads: its own part of the list with the list's name and version, prevResult and runtimeConfig. Pure.
[[nodiscard]] Json plugin_input(const Json& list, const Json& plugin, const Json& runtime, const Json& previous);

}  // namespace nodeagent::runtime::containerd
