#pragma once
// What a container runs and with which environment: the image's configuration below Config, by Docker's rules.

#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"
#include "runtime/containerd/image_config.hpp"

namespace nodeagent::runtime::containerd::oci {

/// An entrypoint given discards the image's entrypoint and command; a command given, the image's command; an empty list
/// for the entrypoint discards the image's as well. Malformed "No command specified" when nothing is left.
[[nodiscard]] Result<std::vector<std::string>> container_arguments(const Json& config, const ImageConfig& image);

struct EnvironmentInputs {
    std::string hostname;
    std::vector<std::string> links;  ///< of legacy links
};
/// PATH, HOSTNAME, TERM with a terminal, links; then Config.Env and of the image's what that does not name. A name
/// without "=" takes the variable away. Malformed "invalid environment variable: =x" for one without a name.
[[nodiscard]] Result<std::vector<std::string>> container_environment(const Json& config, const ImageConfig& image,
                                                                     const EnvironmentInputs& inputs);

}  // namespace nodeagent::runtime::containerd::oci
