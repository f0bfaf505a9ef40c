#pragma once
// The cluster query language of memberOf constraints and ListContainerInstances' filter, as far as it concerns
// instances:
//   attribute:stack == prod and not attribute:ecs.instance-type =~ g2.*
//   attribute:zone in [a, b] or (attribute:gpu exists) and agentConnected == true
// Operators: == != > >= < <= (numbers when both sides are), exists, !exists, in, !in, =~, !~; and/&&, or/||, not/!.

#include <map>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::local {

/// What an expression may ask about: "attribute:<name>" and the instance's fields (ec2InstanceId, status,
/// agentConnected, agentVersion, runningTasksCount ...). A subject may have several values (task:group); any of them
/// may match.
using Facts = std::multimap<std::string, std::string, std::less<>>;

/// Whether the facts satisfy the expression; Malformed, naming the place, if it is not one.
[[nodiscard]] Result<bool> matches_expression(std::string_view expression, const Facts& facts);

}  // namespace nodeagent::local
