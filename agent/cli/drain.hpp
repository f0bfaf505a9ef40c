#pragma once
// `ecs-node drain` and `undrain`: what is asked of the control socket, and what is said about it.

#include <functional>
#include <string>

#include "agent/base/error.hpp"
#include "agent/cli/arguments.hpp"
#include "agent/cli/endpoint.hpp"

namespace nodeagent::cli {

struct DrainTools {
    std::function<Result<Reply>(const std::string& method, const std::string& target, const std::string& body)> call;
    std::function<void(const std::string& text)> print;
    std::function<void()> pause;  ///< a second
};

/// With --wait returns once no task is left. An error is what the agent said, or that it does not answer.
[[nodiscard]] Result<void> drain(const Arguments& arguments, const DrainTools& tools);

}  // namespace nodeagent::cli
