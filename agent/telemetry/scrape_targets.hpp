#pragma once
// The document of /sd: what Prometheus's http_sd should scrape on this machine. A container asks for it with the labels
// (dockerLabels of the task definition)
//
//   prometheus.io/scrape  "true"
//   prometheus.io/port    container port; without it every published TCP port is a target
//   prometheus.io/path    __metrics_path__; without it what the scrape configuration says
//
// Pure.

#include <optional>
#include <string>
#include <string_view>

#include "agent/model/snapshot.hpp"

namespace nodeagent::telemetry {

/// `address`: this machine as the scraper reaches it. A port that is published on one address only is told with that.
[[nodiscard]] std::string scrape_targets(const model::Snapshot& snapshot, std::string_view address,
                                         std::string_view cluster);

/// The host of a Host header, an IPv6 address in brackets, without the port; nothing when it is not one.
[[nodiscard]] std::optional<std::string> host_part(std::string_view host_header);

}  // namespace nodeagent::telemetry
