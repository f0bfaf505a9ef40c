#pragma once
// What a task may ask for and this agent does not have. Such a task is refused by name instead of being run without it.

#include <string>

#include "agent/model/payload.hpp"

namespace nodeagent::core {

/// The first such feature, as a phrase: "FireLens log routing (container web)"; "" if there is none.
[[nodiscard]] std::string missing_feature(const model::Task& task);

}  // namespace nodeagent::core
