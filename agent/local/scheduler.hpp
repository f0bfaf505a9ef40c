#pragma once
// Placement: which container instances take the tasks of a RunTask or StartTask call. Pure; the caller turns the state
// into candidates and the answer into tasks.

#include <set>
#include <string>
#include <vector>

#include "agent/local/errors.hpp"
#include "agent/local/placement_expression.hpp"
#include "agent/local/records.hpp"

namespace nodeagent::local {

/// A container instance with what is left of it.
struct Candidate {
    std::string arn;
    bool connected = false;
    std::int64_t cpu = 0;
    std::int64_t memory = 0;
    std::set<std::int64_t> used_tcp_ports;
    std::set<std::int64_t> used_udp_ports;
    std::vector<std::string> free_gpus;
    std::int64_t tasks = 0;             ///< not STOPPED
    std::multiset<std::string> groups;  ///< of those tasks
    Facts facts;                        ///< for expressions; "attribute:<name>" of every attribute among them
};

struct PlacementStrategy {
    std::string type;   ///< random, spread, binpack
    std::string field;  ///< instanceId, host, attribute:<name>; cpu, memory
    static constexpr auto json_fields() {
        using T = PlacementStrategy;
        return std::tuple{optional_field("type", &T::type), optional_field("field", &T::field)};
    }
};

struct PlacementRequest {
    Demand demand;
    std::string group;
    std::vector<RequiredAttribute> attributes;
    std::vector<PlacementConstraint> constraints;
    std::vector<PlacementStrategy> strategies;
    std::int64_t count = 1;
};

struct PlacementFailure {
    std::string arn;
    std::string
        reason;  ///< AGENT, ATTRIBUTE, RESOURCE:CPU, RESOURCE:MEMORY, RESOURCE:PORTS, RESOURCE:GPU, or a sentence
    std::string detail;
    static constexpr auto json_fields() {
        using T = PlacementFailure;
        return std::tuple{optional_field("arn", &T::arn), optional_field("reason", &T::reason),
                          optional_field("detail", &T::detail)};
    }
};

struct Placed {
    std::string instance_arn;
    std::vector<std::string> gpus;
};

struct PlacementOutcome {
    std::vector<Placed> placed;
    std::vector<PlacementFailure> failures;  ///< why each instance refused, when fewer than `count` were placed
};

/// What the instance has left with these tasks on it.
[[nodiscard]] Candidate make_candidate(const ContainerInstance& instance, bool connected,
                                       const std::vector<Task*>& tasks);
/// Places up to `count` tasks; a constraint that cannot be parsed is an InvalidParameterException.
[[nodiscard]] ApiOutcome<PlacementOutcome> place(std::vector<Candidate> candidates, const PlacementRequest& request);

}  // namespace nodeagent::local
