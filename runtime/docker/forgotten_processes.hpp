#pragma once
// Processes of a container that its daemon does not know to run: it was killed between starting the container and
// writing that down, and answers every later start with "task <id>: already exists".

#include <string>
#include <string_view>

namespace nodeagent::runtime::docker {

/// Whether a refused start of the container `id` says that an earlier one's process still runs.
[[nodiscard]] bool says_forgotten(std::string_view error, std::string_view id);

/// SIGKILL to every process in a cgroup that carries `id`, the container's full id of 64 hexadecimal digits; other ids
/// match nothing. Reads /proc (`proc`; another folder in tests), some milliseconds. Returns how many were killed.
int kill_forgotten(std::string_view id, const std::string& proc = "/proc");

}  // namespace nodeagent::runtime::docker
