#pragma once
// Settings that are each fine, but not together: one makes another useless, or both cannot be what they say.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.hpp"

namespace nodeagent::config {

/// One sentence for each pair, naming both settings and what is done. `given`: whether a source sets the setting of
/// this name; defaults contradict nobody.
[[nodiscard]] std::vector<std::string> contradictions(const Config& config,
                                                      const std::function<bool(std::string_view name)>& given);

}  // namespace nodeagent::config
