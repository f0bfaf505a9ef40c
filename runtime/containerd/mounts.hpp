#pragma once
// What a container has mounted, from Docker's Binds, Mounts, VolumesFrom, Tmpfs and the image's volumes. Facts: moby
// v20.10.24 volume/mounts/linux_parser.go, daemon/volumes.go, daemon/create_unix.go.

#include <functional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"
#include "runtime/containerd/image_config.hpp"
#include "runtime/containerd/oci/spec.hpp"
#include "runtime/containerd/volumes.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

struct PlannedMounts {
    std::vector<oci::MountPlan> mounts;          ///< for SpecInputs::mounts
    std::vector<Mount> shown;                    ///< as an inspect shows them; without HostConfig.Tmpfs
    std::vector<std::string> anonymous_volumes;  ///< made for this container: to be removed with it
    struct Copy {
        std::string volume;  ///< its name
        std::string path;    ///< of the folder in the image
    };
    std::vector<Copy> copies;  ///< image content to copy into empty volumes before the first start
};

/// A mount of another container, for VolumesFrom.
using MountsOf = std::function<Result<std::vector<Mount>>(const std::string& container)>;

/// Named volumes are created when they are absent; the source of a bind in Binds is made as a directory when it is
/// absent, one in Mounts is refused. `mounts_of` names a container by name or id. On an error the anonymous volumes
/// made so far are removed again. Malformed with Docker's text ("invalid volume specification: 'x'"), NotFound as
/// mounts_of says. `container`: the id that anonymous volumes are noted to be made for.
[[nodiscard]] Result<PlannedMounts> plan_mounts(const Json& config, const Json& host_config, const ImageConfig& image,
                                                Volumes& volumes, const MountsOf& mounts_of,
                                                const std::string& container = {});

}  // namespace nodeagent::runtime::containerd
