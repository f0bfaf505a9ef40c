#pragma once
// What RegisterTaskDefinition accepts, and how the service completes it. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/local/errors.hpp"
#include "agent/local/task_definition.hpp"

namespace nodeagent::local {

/// Checks the definition and fills in what the service fills in (protocol, essential, health check numbers, plain cpu
/// and memory numbers, compatibilities, requiresAttributes). The error names the container and the member.
[[nodiscard]] std::optional<ApiError> complete_task_definition(TaskDefinition& definition);

/// "256" or ".25 vCPU" -> 256 CPU units; nothing if malformed.
[[nodiscard]] std::optional<std::int64_t> parse_cpu_units(std::string_view text);
/// "512" or "1 GB" -> MiB; nothing if malformed.
[[nodiscard]] std::optional<std::int64_t> parse_memory_mib(std::string_view text);

/// The instance attributes (capabilities) a task of this definition needs.
[[nodiscard]] std::vector<RequiredAttribute> required_attributes(const TaskDefinition& definition);

/// Whether the image lives in Amazon ECR: <account>.dkr.ecr.<region>.amazonaws.com[.cn]/...
struct EcrImage {
    std::string registry_id;
    std::string region;
};
[[nodiscard]] std::optional<EcrImage> parse_ecr_image(std::string_view image);

/// Tags as every API checks them: at most 50, keys 1..128 characters and not "aws:", values up to 256.
[[nodiscard]] std::optional<ApiError> check_tags(const std::vector<Tag>& tags);

}  // namespace nodeagent::local
