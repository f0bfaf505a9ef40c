#pragma once
// Pressure stall information: how much of the time work waited for a resource. Of a v2 cgroup (cpu.pressure ...) or of
// the machine (/proc/pressure/cpu ...).

#include <cstdint>
#include <optional>
#include <string_view>

namespace nodeagent::cgroups {

struct Pressure {
    struct Share {
        double average10 = 0;        ///< percent of the last 10 s
        double average60 = 0;        ///< of the last minute
        double average300 = 0;       ///< of the last five
        std::uint64_t total_us = 0;  ///< since the beginning
    };
    Share some;  ///< at least one task waited
    Share full;  ///< all that were not idle waited; 0 for cpu on kernels that do not tell
};

/// Nothing when the text has no line "some avg10=...".
[[nodiscard]] std::optional<Pressure> parse_pressure(std::string_view text);

}  // namespace nodeagent::cgroups
