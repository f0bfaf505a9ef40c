#pragma once
// One mount as Docker's documents write it, read by Docker's rules. Pure. Facts: moby v20.10.24
// volume/mounts/linux_parser.go.

#include <string>
#include <string_view>
#include <utility>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::runtime::containerd {

struct MountPoint {
    enum class Type : unsigned char { Bind, Volume, Tmpfs };
    Type type = Type::Bind;
    std::string name;         ///< of a volume; "": one of its own
    std::string source;       ///< of a bind
    std::string destination;  ///< clean
    bool writable = true;
    bool copies = false;       ///< an empty volume takes the image's content
    bool recursive = true;     ///< of a bind: with what is mounted in the source
    bool may_be_made = false;  ///< of a bind: an absent source becomes a folder
    std::string propagation;   ///< "" for volumes
    std::string driver;        ///< of a volume; "": local
    Json driver_options;       ///< of a volume to be created
    Json labels;
    std::string tmpfs;  ///< options
};

/// An entry of Binds: "[source:]destination[:mode]". Malformed "invalid volume specification: 'x'", "invalid mode: x".
[[nodiscard]] Result<MountPoint> parse_bind(const std::string& text, const std::string& volume_driver);
/// An entry of Mounts. Malformed "invalid mount config for type \"bind\": ...". Whether a bind's source exists is not
/// asked.
[[nodiscard]] Result<MountPoint> parse_mount(const Json& mount);
/// An entry of VolumesFrom: the container, and whether what comes of it may be written to.
[[nodiscard]] Result<std::pair<std::string, bool>> parse_volumes_from(const std::string& text);
/// Malformed for "/" and for what is not absolute.
[[nodiscard]] Result<void> check_mount_target(std::string_view path);

}  // namespace nodeagent::runtime::containerd
