#pragma once
// The pages of ecs-local's own, for scripts and people: GET /health, /_local/tasks, /_local/history, /_local/telemetry,
// /_local/metrics, /_local/logs.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/json.hpp"
#include "agent/local/channels.hpp"
#include "agent/local/cloudwatch/metric_store.hpp"
#include "agent/local/logs/log_store.hpp"
#include "agent/local/state.hpp"
#include "agent/local/tcs_conversation.hpp"

namespace nodeagent::local {

struct LocalPage {
    unsigned status = 200;
    OrderedJson body;
};

/// The query part of a request target, decoded.
[[nodiscard]] std::map<std::string, std::string> parse_query(std::string_view target);

/// Nothing for a path that is none of these pages.
[[nodiscard]] std::optional<LocalPage> local_page(State& state, const Channels& channels, const Telemetry& telemetry,
                                                  const MetricStore& metrics, LogStore& logs, std::string_view target);

}  // namespace nodeagent::local
