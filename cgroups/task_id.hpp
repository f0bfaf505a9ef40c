#pragma once

#include <algorithm>
#include <string>

#include "agent/base/error.hpp"

namespace nodeagent::cgroups {

/// A task id becomes a directory and a unit name: letters, digits, '-' and '_' only.
[[nodiscard]] inline Result<void> check_task_id(const std::string& id) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (!id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), plain)) return {};
    return Error{.kind = ErrorKind::Malformed, .what = "task cgroup: \"" + id.substr(0, 64) + "\" is no task id"};
}

}  // namespace nodeagent::cgroups
