#pragma once
// TaskState <-> the text that the state store keeps. Everything comes back but the marks of work in flight. Field
// tables, one schema version: a text of a newer schema is an Error, never guessed at.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/core/task_state.hpp"

namespace nodeagent::core {

inline constexpr std::int64_t kSavedTaskSchema = 1;

[[nodiscard]] std::string encode_saved_task(const TaskState& task);

/// Malformed, with the path of what is wrong, for a damaged text or an unknown schema. Never throws.
[[nodiscard]] Result<TaskState> decode_saved_task(std::string_view text);

/// True if both would be saved as the same text: nothing that must be durable differs. Cheap; no encoding.
[[nodiscard]] bool saved_alike(const TaskState& a, const TaskState& b);

}  // namespace nodeagent::core
