#pragma once
// A container that its restart policy starts again begins with counters of zero. What it used before is added, so that
// its counters only grow (stats.md 8). Pure.

#include "agent/telemetry/usage.hpp"

namespace nodeagent::telemetry {

/// `base` is the last usage before the restart, itself with what came before it.
void add_base(const Usage& base, Usage& into);

}  // namespace nodeagent::telemetry
