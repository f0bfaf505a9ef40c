#pragma once
// Devices a container gets: HostConfig's Devices, DeviceCgroupRules and Privileged, as Docker reads them.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::runtime::containerd::oci {

struct Device {
    std::string path;
    char type = 'c';  ///< 'c' or 'b'
    std::int64_t major = 0, minor = 0;
    std::uint32_t mode = 0666;  ///< permission bits
    std::uint32_t uid = 0, gid = 0;
    friend bool operator==(const Device&, const Device&) = default;
};

/// Where devices are looked up; a test has its own.
class DeviceSource {
  public:
    virtual ~DeviceSource() = default;
    /// The device node at `path` (links followed), or all below it when it is a folder. Each has the path it was found
    /// at. NotFound when there is none.
    [[nodiscard]] virtual Result<std::vector<Device>> at(const std::string& path) const = 0;
    /// Everything in /dev that a privileged container gets: not the terminals, shm and mqueue that it has itself.
    [[nodiscard]] virtual std::vector<Device> all() const = 0;
};
/// This host's.
[[nodiscard]] const DeviceSource& host_devices();

/// linux.devices and linux.resources.devices.
struct DevicePlan {
    Json devices = Json::array();
    Json rules = Json::array();
};
[[nodiscard]] Result<DevicePlan> plan_devices(const Json& host_config, const DeviceSource& source);

}  // namespace nodeagent::runtime::containerd::oci
