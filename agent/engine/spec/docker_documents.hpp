#pragma once
// dockerConfig.config and dockerConfig.hostConfig of a payload, decoded over the documents the agent computed, as Go's
// decoder does it over Docker's structs (task-engine.md 3.4):
//  - member names match without regard to case and get Docker's spelling; unknown ones are dropped;
//  - scalars and arrays replace, objects merge key by key;
//  - null empties an array, an object or an optional value and leaves a plain scalar as it was;
//  - a member of the wrong JSON type is Malformed and named by its path.

#include <string_view>

#include "agent/base/json.hpp"

namespace nodeagent::engine {

[[nodiscard]] Result<void> merge_config(Json& config, std::string_view text);
[[nodiscard]] Result<void> merge_host_config(Json& host_config, std::string_view text);

}  // namespace nodeagent::engine
