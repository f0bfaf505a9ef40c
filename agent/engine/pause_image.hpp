#pragma once
// The program of pause containers (runtime/pause) and where it is installed.

#include <string>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::engine {

/// Where ecs-pause may be, the first that exists counts: beside the agent's own program, then in
/// ../libexec/ecs-node-agent as seen from there. `own_program` is the agent's path.
[[nodiscard]] std::vector<std::string> pause_program_places(const std::string& own_program);

/// The path of the installed ecs-pause. NotFound names every place and the remedy.
[[nodiscard]] Result<std::string> find_pause_program(const std::vector<std::string>& places);

/// The path of the running program.
[[nodiscard]] std::string own_program();

/// The archive of the pause image, made of the program in one of `places`. Blocks: reads a file.
[[nodiscard]] Result<std::string> make_pause_image(const std::vector<std::string>& places);

}  // namespace nodeagent::engine
