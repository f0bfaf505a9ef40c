#include "agent/local/arn.hpp"

#include <algorithm>

#include "agent/base/strings.hpp"

namespace nodeagent::local {

std::string make_arn(const Identity& identity, std::string_view resource) {
    return make_arn_of("ecs", identity, resource);
}

std::string make_arn_of(std::string_view service, const Identity& identity, std::string_view resource) {
    return "arn:aws:" + std::string(service) + ":" + identity.region + ":" + identity.account + ":" +
           std::string(resource);
}

std::optional<ParsedArn> parse_arn(std::string_view text) {
    if (!text.starts_with("arn:")) return std::nullopt;
    const auto parts = split(text, ':');
    if (parts.size() < 6) return std::nullopt;
    // the resource may hold colons itself: a task definition's revision
    const std::string_view resource = text.substr(static_cast<std::size_t>(parts[5].data() - text.data()));
    const auto slash = resource.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    return ParsedArn{.service = std::string(parts[2]),
                     .region = std::string(parts[3]),
                     .account = std::string(parts[4]),
                     .kind = std::string(resource.substr(0, slash)),
                     .rest = std::string(resource.substr(slash + 1))};
}

std::string cluster_name_of(std::string_view name_or_arn) {
    if (name_or_arn.empty()) return "default";
    if (const auto arn = parse_arn(name_or_arn)) return arn->rest;
    return std::string(name_or_arn);
}

std::string_view last_segment(std::string_view text) {
    const auto slash = text.rfind('/');
    return slash == std::string_view::npos ? text : text.substr(slash + 1);
}

std::string new_resource_id() {
    std::string id = uuid4();
    std::erase(id, '-');
    return id;
}

}  // namespace nodeagent::local
