#pragma once
// What is, held against what should be: a finding for each, and the steps that lead there. Pure.
//
// A step on the packet filter is one transaction of iptables-restore: a rule that moves, and the copies that go with
// it, change at one instant. Steps stand in the order in which nothing is open meanwhile: filters, then what they
// guard; when all is removed, the other way round.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/host_setup/filter_rules.hpp"
#include "agent/host_setup/wanted.hpp"

namespace nodeagent::host_setup {

/// What the host has now.
struct Present {
    std::map<Family, SavedTables> tables{};                       ///< of the iptables that this host uses
    std::map<Family, std::string> unreadable{};                   ///< why a family has no tables here, with the remedy
    std::map<Family, SavedTables> other_tables{};                 ///< of the other kind, where it holds any
    std::string other_kind{};                                     ///< "legacy", "nft"
    std::map<std::string, std::optional<std::string>> sysctls{};  ///< by key; nothing: no such key
    bool loopback_route = false;
};

enum class State : std::uint8_t {
    Ok,
    Missing,
    Duplicate,  ///< there more than once
    Misplaced,  ///< below a rule that it must precede
    Unwanted,   ///< ours or the reference's, and not to be there
    Foreign,    ///< somebody else's that concerns the agent's ports; left alone
    OtherKind,  ///< ours or the reference's in tables that this host's iptables does not show
    Unknown,    ///< cannot be told
};
[[nodiscard]] std::string_view to_string(State state);
/// Foreign rules are the host owner's business.
[[nodiscard]] bool is_right(State state);

struct Finding {
    State state = State::Ok;
    std::string what;
    std::string where;   ///< "iptables filter INPUT", "sysctl", "route"
    std::string should;  ///< "" when it should not be
    std::string is;
    std::string remedy{};  ///< where the set-up itself is none
};

struct FilterChange {
    Family family = Family::Ipv4;
    std::string table;
    std::string commands;  ///< for iptables-restore --noflush
};
struct SysctlChange {
    std::string key, value;
    bool needs_filter = false;  ///< not when the change of table filter of IPv4 before it failed
};
struct RouteChange {
    bool add = true;
};
using Step = std::variant<FilterChange, SysctlChange, RouteChange>;

struct Plan {
    std::vector<Finding> findings;
    std::vector<Step> steps;
};

[[nodiscard]] Plan plan(const Wanted& wanted, const Present& present);

[[nodiscard]] bool all_right(const std::vector<Finding>& findings);

}  // namespace nodeagent::host_setup
