#pragma once
// What metrics tell of the agent itself; gathered on the engine's shard for each scrape.

#include <cstdint>
#include <optional>
#include <string>

#include "agent/ecs/acs_session.hpp"
#include "agent/ecs/state_reporter.hpp"
#include "agent/engine/engine_figures.hpp"
#include "agent/telemetry/cloudwatch.hpp"
#include "runtime/types.hpp"

namespace nodeagent::telemetry {

struct AgentFigures {
    std::string cluster;                 ///< as registered
    std::string container_instance_arn;  ///< "" before
    bool draining = false;
    engine::EngineFigures engine{};
    ecs::SessionStatus acs{}, tcs{};
    ecs::Submissions submissions{};
    std::uint64_t store_transactions = 0;              ///< 0 also without a database
    std::optional<CloudWatch::Counters> cloudwatch{};  ///< when metrics are sent there
    std::optional<runtime::LogFigures> logs{};         ///< where containers log through programs of ours
};

}  // namespace nodeagent::telemetry
