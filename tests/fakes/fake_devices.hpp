#pragma once
// Devices of a host that does not exist.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/containerd/oci/devices.hpp"

namespace nodeagent::fakes {

class FakeDevices final : public runtime::containerd::oci::DeviceSource {
  public:
    using Device = runtime::containerd::oci::Device;
    explicit FakeDevices(std::vector<Device> devices = {}) : devices_(std::move(devices)) {}

    Result<std::vector<Device>> at(const std::string& path) const override {
        std::vector<Device> found;
        for (const Device& device : devices_) {
            if (device.path == path || device.path.starts_with(path + "/")) found.push_back(device);
        }
        if (found.empty()) return Error{.kind = ErrorKind::NotFound, .what = "no such file or directory"};
        return found;
    }
    std::vector<Device> all() const override { return devices_; }

  private:
    std::vector<Device> devices_;
};

}  // namespace nodeagent::fakes
