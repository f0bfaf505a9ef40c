#pragma once
// The option "tag", and the labels and variables that a line carries.

#include <map>
#include <string>
#include <string_view>

#include "runtime/logs/config.hpp"

namespace nodeagent::runtime::logs {

/// The option's template filled in, or `otherwise` in its place. Of Go's templates: text and {{.ID}}, {{.FullID}},
/// {{.Name}}, {{.Command}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}}, {{.Hostname}}, {{.DaemonName}}, with
/// `| lower` and `| upper` after them. Malformed names what it does not know.
[[nodiscard]] Result<std::string> log_tag(const LoggerConfig& config, std::string_view otherwise);

/// What the options labels, labels-regex, env and env-regex choose.
[[nodiscard]] std::map<std::string, std::string> extra_attributes(const LoggerConfig& config);

}  // namespace nodeagent::runtime::logs
