#include "metadata/audit_log.hpp"

#include <algorithm>

#include "agent/base/time_format.hpp"

namespace nodeagent::metadata {

namespace {

/// Nobody's path or user agent is so long; a client must not be able to push the lines of others out of the log.
constexpr std::size_t kLongestQuoted = 2048;

// What the client chose must not be able to end the line or the quotes around it.
std::string quotable(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, kLongestQuoted)) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7F || c == '"' ? '_' : c;
    }
    return out;
}

/// Ids are bearer tokens: a path ends before one, also where it was put into a path that nothing serves.
std::string_view without_id(std::string_view path) {
    constexpr std::string_view kWord = "/credentials/";
    const auto at = std::search(path.begin(), path.end(), kWord.begin(), kWord.end(),
                                [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); });
    if (at == path.end()) return path;
    return path.substr(0, static_cast<std::size_t>(at - path.begin()) + kWord.size() - 1);
}

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

}  // namespace

std::string audit_line(std::chrono::system_clock::time_point when, const Request& request, unsigned status,
                       const credentials::TaskRoleCredentials* granted, const InstanceIdentity& identity) {
    std::string line = rfc3339_seconds(when);
    line.append(" ").append(std::to_string(status));
    line.append(" ").append(request.peer->ip_and_port);
    line.append(" \"").append(quotable(without_id(request.path))).append("\"");
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
