#include "metadata/audit_log.hpp"

#include "agent/base/time_format.hpp"

namespace nodeagent::metadata {

namespace {

constexpr std::string_view kCredentialsPrefix = "/v2/credentials/";

// What the client chose must not be able to end the line or the quotes around it.
std::string quotable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7F || c == '"' ? '_' : c;
    }
    return out;
}

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

}  // namespace

std::string audit_line(std::chrono::system_clock::time_point when, const Request& request, unsigned status,
                       const credentials::TaskRoleCredentials* granted, const InstanceIdentity& identity) {
    // ids are bearer tokens: the path is cut before them
    const std::string_view path = request.path.starts_with(kCredentialsPrefix)
                                      ? kCredentialsPrefix.substr(0, kCredentialsPrefix.size() - 1)
                                      : request.path;
    std::string line = rfc3339_seconds(when);
    line.append(" ").append(std::to_string(status));
    line.append(" ").append(request.peer->ip_and_port);
    line.append(" \"").append(quotable(path)).append("\"");
    line.append(" \"").append(quotable(request.user_agent)).append("\" ");
    if (granted == nullptr) return line += "- ";
    const bool execution = granted->role_type == credentials::RoleType::TaskExecution;
    line.append(or_dash(granted->task_arn));
    line.append(execution ? " GetCredentialsExecutionRole" : " GetCredentials");
    line.append(" 2 ").append(or_dash(identity.cluster));
    line.append(" ").append(or_dash(identity.container_instance_arn));
    return line;
}

}  // namespace nodeagent::metadata
