#pragma once
// Our types <-> the JSON of the Docker Engine API. Pure. Field names: Docker Engine API 1.21 .. 1.44.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/json.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::docker {

/// The body of POST /containers/create.
[[nodiscard]] std::string create_body(const ContainerSpec& spec);

/// Of GET /containers/{id}/json. Status and exit code rules: task-engine.md 5.2.
[[nodiscard]] ContainerView container_view(const Json& inspected);
/// Of an element of GET /containers/json: id, name, phase, image id, labels, creation time.
[[nodiscard]] ContainerView listed_container(const Json& element);
/// Of GET /images/{name}/json and of an element of GET /images/json.
[[nodiscard]] ImageView image_view(const Json& image);
[[nodiscard]] VolumeSpec volume_view(const Json& volume);
[[nodiscard]] std::string volume_body(const VolumeSpec& spec);

/// A line of GET /events; nothing for events that change no container's state.
[[nodiscard]] std::optional<RuntimeEvent> runtime_event(std::string_view line);
/// The query value `filters` that lets only such lines through; also spares us the exec events of every health check.
[[nodiscard]] std::string event_filters();

/// Progress of a pull, added up over layers.
class PullLog {
  public:
    /// Takes one line of POST /images/create; returns true if the sums changed.
    bool add(std::string_view line);
    [[nodiscard]] const PullProgress& progress() const { return progress_; }
    /// The text of an error line.
    [[nodiscard]] const std::optional<std::string>& error() const { return error_; }

  private:
    struct Layer {
        std::uint64_t current = 0, total = 0;
        bool done = false;
    };
    std::map<std::string, Layer, std::less<>> layers_;  ///< by id
    PullProgress progress_;
    std::optional<std::string> error_;
};

/// X-Registry-Auth. The reference's pull encodes a trailing newline, its manifest call does not (task-engine.md 5.5).
[[nodiscard]] std::string registry_auth_header(const RegistryAuth& auth, bool newline);

/// An error answer: "Error response from daemon: <message>", the words the reference's client shows to ECS users.
[[nodiscard]] Error daemon_error(int status, std::string_view body);
/// The kind of an error that only has a text: registry refusals, unknown manifests.
[[nodiscard]] ErrorKind kind_of_pull_error(std::string_view text, ErrorKind otherwise);

/// Of GET /distribution/{image}/json.
struct ManifestDescriptor {
    std::string media_type, digest;
};
[[nodiscard]] std::optional<ManifestDescriptor> manifest_descriptor(const Json& distribution);

/// GET /version, /info and /plugins, as far as we care.
struct DaemonVersion {
    std::string version, api_version, min_api_version;
};
[[nodiscard]] DaemonVersion daemon_version(const Json& document);
void add_daemon_facts(const Json& system, Capabilities& capabilities);
/// Names of enabled volume plugins, control-plane.md 4: "name" and "name.tag" for tag latest, else "name.tag".
[[nodiscard]] std::vector<std::string> volume_plugins(const Json& plugins);

}  // namespace nodeagent::runtime::docker
