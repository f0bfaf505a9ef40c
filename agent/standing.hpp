#pragma once
// How the agent stands, in one sentence: what `systemctl status` shows of it.

#include <string>

#include "agent/ecs/registration.hpp"

namespace nodeagent {

struct Standing {
    const ecs::Registered& instance;
    bool connected = false;          ///< to ECS, over ACS
    std::string runtime = "Docker";  ///< what runs containers, for people
    bool runtime_reachable = true;
};

[[nodiscard]] std::string in_one_sentence(const Standing& standing);

}  // namespace nodeagent
