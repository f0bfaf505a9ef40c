#pragma once
// Process documents of execs: the container's own process with another command, as `docker exec` has it.

#include <string>
#include <vector>

namespace nodeagent::runtime::containerd::oci {

/// The process of the document `spec` without its arguments and terminal; environment, directory, user, capabilities
/// and limits stay. "{}" for what is no document of runtime_spec.
[[nodiscard]] std::string exec_template(const std::string& spec);
/// That template with a command.
[[nodiscard]] std::string with_command(const std::string& process, const std::vector<std::string>& command);

}  // namespace nodeagent::runtime::containerd::oci
