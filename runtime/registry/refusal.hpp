#pragma once
// What a registry's refusal means, in the words Docker has for it. Pure. task-engine.md 5.5: ECS and its users tell
// failures apart by these texts.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "runtime/registry/reference.hpp"

namespace nodeagent::runtime::registry {

/// From an answer's status and body, `{"errors": [{"code", "message"}]}` as a rule. `insufficient_scope`: a challenge
/// of the answer says so. `request` is the method and the URL without its query: `Get "https://..."`.
[[nodiscard]] Error refusal(int status, std::string_view body, bool insufficient_scope, const Reference& reference,
                            std::string_view request);

}  // namespace nodeagent::runtime::registry
