#pragma once
// From the environment and configuration to the options of the clients, and the configuration itself with the instance
// metadata service as one of its sources.

#include <functional>
#include <optional>
#include <string>

#include "agent/config/command_line.hpp"
#include "agent/config/environment.hpp"
#include "agent/net/curl_http_client.hpp"
#include "runtime/containerd/options.hpp"
#include "runtime/docker/backend.hpp"

namespace nodeagent {

/// `environment` must outlive the function.
[[nodiscard]] std::function<std::optional<std::string>(const char*)> lookup_in(const config::Environment& environment);
[[nodiscard]] net::CurlOptions curl_options(const config::Environment& environment, bool insecure,
                                            const std::string& docker_host);
[[nodiscard]] runtime::docker::Options docker_options(const config::Environment& environment,
                                                      const config::Config& config);

/// The path of a unix socket that may be written with a scheme.
[[nodiscard]] std::string socket_path(std::string address);
/// Where the backend for containerd keeps its files, and those that a reboot may take.
[[nodiscard]] std::string containerd_data_folder(const config::Config& config);
[[nodiscard]] std::string containerd_run_folder(const config::Config& config);
/// For the containerd of the settings. NotFound when no cgroup file system is mounted.
[[nodiscard]] Result<runtime::containerd::Options> containerd_options(const config::Environment& environment,
                                                                      const config::Config& config);

/// Everything config::examine() finds, the flags laid over it. Blocks while the metadata service is asked.
[[nodiscard]] config::Examination examine_configuration(const config::CommandLine& flags,
                                                        const config::Environment& environment);

}  // namespace nodeagent
