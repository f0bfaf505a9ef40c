#pragma once
// What we keep of a container beside what containerd itself knows, as two extensions of its container record: so that
// an agent that has lost everything of its own finds it, and the two never disagree about which containers there are.

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"
#include "runtime/containerd/health.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

/// Written once, when the container is made.
struct Creation {
    std::string name;
    std::string image;      ///< as create() named it
    std::string image_id;   ///< "sha256:..."
    nlohmann::json config;  ///< without Env, whose secrets are in the OCI document already
    nlohmann::json host_config;
    std::vector<Mount> mounts;
    std::vector<std::string> anonymous_volumes;  ///< removed with the container
    int stop_signal = 15;                        ///< the task definition's, the image's, SIGTERM
    std::optional<HealthCheck> health_check;
};

/// Changes with each run.
struct Life {
    std::optional<WallTime> started_at, finished_at;
    std::optional<int> exit_code;
    bool oom_killed = false;
    std::string error;  ///< why the last start failed
    std::vector<PortBinding> ports;
    std::vector<Network> networks;
    bool attached = false;  ///< to a network, which has to be told of its end
};

/// Of a container whose process vanished without a word: Docker's, too.
inline constexpr int kUnknownExit = 255;

inline constexpr const char* kNameLabel = "nodeagent.name";
inline constexpr const char* kCreationKey = "nodeagent.creation";
inline constexpr const char* kLifeKey = "nodeagent.life";

[[nodiscard]] Opaque encode(const Creation& creation);
[[nodiscard]] Opaque encode(const Life& life);
/// Malformed when the container is none of ours, or of a version that nobody can read.
[[nodiscard]] Result<Creation> creation_of(const Container& container);
/// An absent or unreadable one is that of a container that was never started.
[[nodiscard]] Life life_of(const Container& container);

/// What the engine sees. `task`: the container's process, nullptr when there is none. Health is not part of it.
[[nodiscard]] ContainerView view_of(const Container& container, const Process* task);
/// Less work, for listings.
[[nodiscard]] ContainerView listed_view(const Container& container, const Process* task);

}  // namespace nodeagent::runtime::containerd
