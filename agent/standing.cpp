#include "agent/standing.hpp"

namespace nodeagent {

std::string in_one_sentence(const Standing& standing) {
    const std::string& arn = standing.instance.container_instance_arn;
    std::string text =
        "container instance " + arn.substr(arn.rfind('/') + 1) + " of cluster " + standing.instance.cluster;
    text += standing.connected ? ", connected to ECS" : ", not connected to ECS, trying";
    if (!standing.runtime_reachable) text += "; " + standing.runtime + " does not answer";
    return text;
}

}  // namespace nodeagent
