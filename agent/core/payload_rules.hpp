#pragma once
// Whether a payload's task can be understood: what its JSON types cannot say. control-plane.md 7.

#include <optional>
#include <string>

#include "agent/base/error.hpp"
#include "agent/model/payload.hpp"

namespace nodeagent::core {

/// The command of `overrides`: an object, or a string that holds one; the key `command` only. Nothing when it has none.
[[nodiscard]] Result<std::optional<std::vector<std::string>>> overridden_command(const nlohmann::json& overrides);

/// Malformed with what is wrong and where ("containers[2].portMappings[0]: ..."); the text is the detail ECS is shown.
[[nodiscard]] Result<void> check_payload(const model::Task& task);

}  // namespace nodeagent::core
