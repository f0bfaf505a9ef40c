#pragma once
// The release whose wire behaviour this agent has. The service gates features by it, so it is what agentVersion,
// agentHash, the User-Agent and the introspection document carry; NODEAGENT_VERSION is our own release.

#include <string>
#include <string_view>

namespace nodeagent {

inline constexpr std::string_view kAgentVersion = "1.105.1";
inline constexpr std::string_view kAgentHash = "a8b3e7d3";

/// "Amazon ECS Agent - v1.105.1 (*a8b3e7d3)": the introspection document's Version, and how the User-Agent begins.
[[nodiscard]] inline std::string agent_version_text() {
    return "Amazon ECS Agent - v" + std::string(kAgentVersion) + " (*" + std::string(kAgentHash) + ")";
}

/// `os_family` is ECS_DETAILED_OS_FAMILY; empty leaves its part out.
[[nodiscard]] inline std::string agent_user_agent(std::string_view os_family) {
    const std::string family = os_family.empty() ? std::string() : "; " + std::string(os_family);
    return agent_version_text() + " (linux" + family + ") (+http://aws.amazon.com/ecs/)";
}

}  // namespace nodeagent
