#pragma once
// Texts for people, all from the rows of the settings table.

#include <string>
#include <string_view>

#include "agent/config/load.hpp"

namespace nodeagent::config {

/// --help: flags, then settings by group.
[[nodiscard]] std::string help_text(std::string_view program);
/// --check-config: effective settings with sources, warnings, problems. The exit code is 1 if there are problems.
[[nodiscard]] std::string check_report(const Examination& examination);
/// --settings-table: GitHub markdown for the README.
[[nodiscard]] std::string settings_markdown();

}  // namespace nodeagent::config
