#pragma once
// The statistics object of the /stats routes: what Docker 20.10 would answer, written from the kernel's figures in the
// reference's key order (endpoints.md 3.2). Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/telemetry/usage.hpp"
#include "cgroups/hierarchy.hpp"

namespace nodeagent::telemetry {

struct StatsSubject {
    std::string_view name;  ///< the runtime's, without a slash before it
    std::string_view id;
    cgroups::Version version = cgroups::Version::V1;
    unsigned online_cpus = 1;
    std::uint64_t machine_memory = 0;  ///< bytes; the limit of a container that has none; 0: not known
};

/// `before` null: there was no reading before this one.
[[nodiscard]] std::string stats_document(const StatsSubject& subject, const Usage& now, const Usage* before);

}  // namespace nodeagent::telemetry
