#pragma once
// The command line of ecs-node.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::cli {

enum class Verb : std::uint8_t { Help, Version, Status, Tasks, Task, Why, Logs, Events, Config, Drain, Undrain };

struct Arguments {
    Verb verb = Verb::Help;
    std::string id;                   ///< of `task`, `why` and `logs`
    bool json = false;                ///< the agent's document as it came
    bool help = false;                ///< of the verb
    bool wait = false;                ///< of `drain`: until no task is left
    bool tasks_only = false;          ///< of `drain`: ECS is not told
    std::string container;            ///< of `logs`: that one alone; "": all
    bool follow = false;              ///< of `logs`
    bool timestamps = false;          ///< of `logs`
    std::string since;                ///< of `logs`: since_time() understands it
    std::optional<long long> tail{};  ///< of `logs`: last lines of each container
    std::string socket = "/run/ecs-node-agent/control.sock";
    std::string endpoint = "http://127.0.0.1:51678";
};

/// Malformed for anything that cannot be understood: exit 2.
[[nodiscard]] Result<Arguments> parse_arguments(std::span<const char* const> arguments);

[[nodiscard]] std::string usage();
[[nodiscard]] std::string usage_of(Verb verb);

}  // namespace nodeagent::cli
