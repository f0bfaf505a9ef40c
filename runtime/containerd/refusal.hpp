#pragma once
// Reasons of tasks begin on Docker with what its client puts before everything the daemon refuses; dashboards and
// alarms of ECS users look for these words (traces g_ports, o_volumes), so they are the same here.

#include <string>
#include <utility>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

inline constexpr const char* kRefusal = "Error response from daemon: ";

[[nodiscard]] inline Error refusal(Error error) {
    error.what.insert(0, kRefusal);
    return error;
}

/// The errors of a verb as its caller is told them. Nobody has refused what was not answered (Unavailable, Timeout).
template <class T>
[[nodiscard]] Result<T> told_as_refusal(Result<T> result) {
    if (result || result.error().kind == ErrorKind::Unavailable || result.error().kind == ErrorKind::Timeout) {
        return result;
    }
    return refusal(std::move(result).error());
}

}  // namespace nodeagent::runtime::containerd
