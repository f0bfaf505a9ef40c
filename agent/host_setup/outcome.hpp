#pragma once
// What the last set-up left, in a file: the agent has no right to look at the packet filter itself.

#include <optional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json_fields.hpp"
#include "agent/host_setup/host_setup.hpp"

namespace nodeagent::host_setup {

struct Outcome {
    std::string at;                     ///< RFC 3339
    std::vector<std::string> problems;  ///< a clause each, with the remedy where there is one; empty: all is right
    std::vector<std::string> bridges;   ///< that rules were made for
    bool imds_blocked = false;          ///< on all of them
    static constexpr auto json_fields() {
        return std::tuple{optional_field("at", &Outcome::at), optional_field("problems", &Outcome::problems),
                          optional_field("bridges", &Outcome::bridges),
                          optional_field("imdsBlocked", &Outcome::imds_blocked)};
    }
};

/// Of what apply() says. Pure.
[[nodiscard]] Outcome outcome_of(const Wishes& wishes, const Applied& applied, std::string at);

/// Nothing: no set-up since the machine started, or one that was taken back.
[[nodiscard]] std::optional<Outcome> read_outcome(const std::string& folder = kOutcomeFolder);
Result<void> write_outcome(const Outcome& outcome, const std::string& folder = kOutcomeFolder);
Result<void> forget_outcome(const std::string& folder = kOutcomeFolder);

}  // namespace nodeagent::host_setup
