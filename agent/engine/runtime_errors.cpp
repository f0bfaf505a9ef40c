#include "agent/engine/runtime_errors.hpp"

#include <string>

namespace nodeagent::engine {

core::NamedError named_error(const RuntimeVerb& verb, const Error& error, std::chrono::nanoseconds waited) {
    if (error.kind == ErrorKind::Timeout) return core::docker_timeout(verb.timeout_word, waited);
    // an API version that the daemon does not speak has a name of its own (task-engine.md 5.1)
    if (error.what.find("client not found for docker version") != std::string::npos) {
        return {.name = std::string(core::kCannotGetDockerClient), .message = error.what};
    }
    return {.name = std::string(verb.error_name), .message = error.what};
}

}  // namespace nodeagent::engine
