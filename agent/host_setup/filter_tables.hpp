#pragma once
// Reads and changes the packet filter by the iptables programs of this host. They come in two kinds, whose rules the
// kernel keeps apart and applies both: nft and legacy. Blocks; any thread.

#include <string>

#include "agent/base/error.hpp"
#include "agent/host_setup/plan.hpp"

namespace nodeagent::host_setup {

/// "nft" or "legacy", by what iptables --version says. Pure. Before there were two, all were legacy.
[[nodiscard]] std::string kind_of_iptables(std::string_view version);

/// Fills tables, unreadable and the other kind's. `ipv6` false: that family is left out.
void look_at_tables(bool ipv6, Present& present);

/// One transaction. Conflict: the tables have changed since they were read; look again.
Result<void> change_tables(const FilterChange& change);

}  // namespace nodeagent::host_setup
