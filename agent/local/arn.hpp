#pragma once
// Names of things in this control plane: building ARNs, and resolving what a caller wrote (short id or full ARN).

#include <optional>
#include <string>
#include <string_view>

namespace nodeagent::local {

/// Whose control plane this is; part of every ARN.
struct Identity {
    std::string region = "us-west-2";
    std::string account = "123456789012";
};

/// arn:aws:ecs:<region>:<account>:<resource>
[[nodiscard]] std::string make_arn(const Identity& identity, std::string_view resource);

/// The same for another service.
[[nodiscard]] std::string make_arn_of(std::string_view service, const Identity& identity, std::string_view resource);

struct ParsedArn {
    std::string service;
    std::string region;
    std::string account;
    std::string kind;  ///< "task", "cluster", ...: what stands before the first '/'
    std::string rest;  ///< what follows it
};
/// Nothing unless the text has six colon-separated parts, starts with "arn" and its resource has a '/'.
[[nodiscard]] std::optional<ParsedArn> parse_arn(std::string_view text);

/// The cluster's name from a name, an ARN, or "" ("default").
[[nodiscard]] std::string cluster_name_of(std::string_view name_or_arn);
/// The part behind the last '/', or the whole text.
[[nodiscard]] std::string_view last_segment(std::string_view text);
/// 32 lower-case hex digits, as task and container instance ids have.
[[nodiscard]] std::string new_resource_id();

}  // namespace nodeagent::local
