#pragma once
// What iptables-save and ip6tables-save print, read so that a rule is found again however it was spelled. Pure.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent::host_setup {

struct SavedRule {
    std::string arguments;  ///< as printed, after "-A CHAIN "
    std::string meaning;    ///< of canonical()
};
using SavedChain = std::vector<SavedRule>;
/// Of one address family: table -> chain -> its rules in order. A chain without rules is there, too.
using SavedTables = std::map<std::string, std::map<std::string, SavedChain, std::less<>>, std::less<>>;

[[nodiscard]] SavedTables read_saved(std::string_view text);
/// Empty when there is no such chain.
[[nodiscard]] const SavedChain& chain_of(const SavedTables& tables, std::string_view table, std::string_view chain);
[[nodiscard]] bool has_chain(const SavedTables& tables, std::string_view table, std::string_view chain);

/// A rule's arguments in one spelling: options by their short names and sorted, addresses with a prefix length, states
/// sorted, without the -m that -p or another option implies. Two rules that do the same may differ, those of
/// wanted.hpp do not.
[[nodiscard]] std::string canonical(std::string_view arguments);

}  // namespace nodeagent::host_setup
