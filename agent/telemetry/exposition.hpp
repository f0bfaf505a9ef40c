#pragma once
// The text of /metrics, in Prometheus's format: every family of metrics.hpp that has a series now. Written family by
// family, so that no more than one is held beside the text.

#include <optional>
#include <string>
#include <unordered_map>

#include "agent/model/host_conditions.hpp"
#include "agent/model/snapshot.hpp"
#include "agent/telemetry/agent_figures.hpp"
#include "agent/telemetry/collector.hpp"
#include "agent/telemetry/lifecycle_steps.hpp"
#include "agent/telemetry/metrics.hpp"

namespace nodeagent::telemetry {

/// What a container uses, by its id.
using UsageById = std::unordered_map<std::string, Usage>;

struct Scene {
    const model::Snapshot& snapshot;
    const UsageById& usage;  ///< of containers that have been sampled
    cgroups::Version version;
    const std::optional<Collector::Counters>& sampling;
    const LifecycleSteps& steps;
    const AgentFigures& figures;
    const ProcessUse& process;
    const model::HostConditions& host;
};

[[nodiscard]] std::string exposition(const Scene& scene);
/// Of this process, now.
[[nodiscard]] ProcessUse process_use();

}  // namespace nodeagent::telemetry
