#pragma once
// Named volumes of the driver "local": folders on this host, as Docker keeps them. <data_dir>/volumes/<name>/_data is
// the content, volume.json beside it the specification.

#include <mutex>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

/// Label of an anonymous volume with the id of the container it was made for.
inline constexpr const char* kVolumeContainerLabel = "nodeagent.container";

/// Every call blocks on the file system, and any thread may make it.
class Volumes {
  public:
    /// Nothing is touched before the first call.
    explicit Volumes(std::string data_dir);

    /// One that is there already stays as it is, as with Docker. Malformed for a name that Docker would refuse, another
    /// driver than "local", or options the driver does not know (type, o, device are known).
    Result<void> create(const VolumeSpec& spec);
    Result<VolumeSpec> inspect(const std::string& name);  ///< NotFound "get x: no such volume"
    /// The folder to bind into containers. With driver options it is mounted there at first use, and stays so until the
    /// volume is removed or the host restarts. NotFound as above.
    Result<std::string> mount_point(const std::string& name);
    /// Unmounts and deletes it with its content. NotFound as above.
    Result<void> remove(const std::string& name);
    struct MadeFor {
        std::string volume;
        std::string container;
    };
    /// All with kVolumeContainerLabel. Deletes what a creation has left that broke off before there was a volume.
    std::vector<MadeFor> made_for_containers();
    /// Whether the image's content is to be copied in. Mounts it if it has driver options. False for one that does not
    /// exist or cannot be mounted.
    bool is_empty(const std::string& name);

  private:
    [[nodiscard]] std::string folder(const std::string& name) const;
    [[nodiscard]] Result<VolumeSpec> load(const std::string& name) const;
    [[nodiscard]] Result<std::string> mounted_folder(const std::string& name) const;
    std::string root_;
    std::mutex mutex_;  ///< one change at a time
};

}  // namespace nodeagent::runtime::containerd
