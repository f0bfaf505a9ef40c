#include "agent/ecs/session_identity.hpp"

#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/strings.hpp"

namespace nodeagent::ecs {

namespace {

using Query = std::vector<std::pair<std::string_view, std::string>>;

// Form encoding, as the reference writes its query: space is '+'.
std::string form_encode(std::string_view text) {
    std::string out;
    for (const std::string_view part : split(text, ' ')) {
        if (part.data() != text.data()) out += '+';
        out += percent_encode(part);
    }
    return out;
}

std::string websocket_url(std::string endpoint, const Query& sorted) {
    if (!endpoint.ends_with('/')) endpoint += '/';
    endpoint += "ws";
    char separator = '?';
    for (const auto& [name, value] : sorted) {
        endpoint += separator;
        endpoint += std::string(name) + "=" + form_encode(value);
        separator = '&';
    }
    return endpoint;
}

}  // namespace

std::string acs_url(std::string endpoint, const SessionIdentity& identity, bool send_credentials) {
    Query query{{"agentHash", identity.agent_hash},
                {"agentVersion", identity.agent_version},
                {"clusterArn", identity.cluster},
                {"containerInstanceArn", identity.container_instance_arn}};
    if (identity.containerd) {
        query.emplace_back("dockerVersion", "containerd");
    } else if (!identity.runtime_version.empty()) {
        query.emplace_back("dockerVersion", "DockerVersion: " + identity.runtime_version);
    }
    query.emplace_back("protocolVersion", "2");
    query.emplace_back("sendCredentials", send_credentials ? "true" : "false");
    query.emplace_back("seqNum", "1");
    return websocket_url(std::move(endpoint), query);
}

std::string tcs_url(std::string endpoint, const SessionIdentity& identity) {
    Query query{{"agentHash", identity.agent_hash},
                {"agentVersion", identity.agent_version},
                {"cluster", identity.cluster},
                {"containerInstance", identity.container_instance_arn}};
    if (!identity.runtime_version.empty()) query.emplace_back("dockerVersion", identity.runtime_version);
    return websocket_url(std::move(endpoint), query);
}

}  // namespace nodeagent::ecs
