// DeviceSource of this host: /dev as the kernel shows it.

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "runtime/containerd/oci/devices.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

/// What a container has of its own, or what is no device.
constexpr std::array<std::string_view, 7> kFoldersLeftOut{"pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"};

std::optional<Device> device_at(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
    if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) return std::nullopt;
    return Device{.path = path,
                  .type = S_ISCHR(status.st_mode) ? 'c' : 'b',
                  .major = static_cast<std::int64_t>(major(status.st_rdev)),
                  .minor = static_cast<std::int64_t>(minor(status.st_rdev)),
                  .mode = status.st_mode & 07777U,
                  .uid = status.st_uid,
                  .gid = status.st_gid};
}

/// `budget` is of names looked at: a folder of devices has some hundred, somebody's whole disk has millions.
constexpr int kMostNames = 65536;

void add_devices_below(const std::string& folder, bool leave_out, int& budget, std::vector<Device>& found) {
    std::error_code failed;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
        if (--budget < 0) return;
        const std::string path = folder + "/" + name;
        std::error_code ignored;
        if (std::filesystem::symlink_status(path, ignored).type() == std::filesystem::file_type::directory) {
            const bool skipped =
                leave_out && std::find(kFoldersLeftOut.begin(), kFoldersLeftOut.end(), name) != kFoldersLeftOut.end();
            if (!skipped) add_devices_below(path, leave_out, budget, found);
        } else if (auto device = device_at(path); device && !(leave_out && name == "console")) {
            found.push_back(*std::move(device));
        }
    }
}

class HostDevices final : public DeviceSource {
  public:
    Result<std::vector<Device>> at(const std::string& path) const override {
        std::error_code failed;
        const std::string real = std::filesystem::canonical(path, failed).string();
        if (failed == std::errc::no_such_file_or_directory) {
            return Error{.kind = ErrorKind::NotFound, .what = "no such file or directory"};
        }
        if (failed) return from_error_code("stat " + path, failed);
        std::vector<Device> found;
        int budget = kMostNames;
        if (auto device = device_at(real)) {
            found.push_back(*std::move(device));
        } else {
            add_devices_below(real, false, budget, found);
        }
        if (budget < 0) return Error{.kind = ErrorKind::Malformed, .what = "too many files in " + path};
        if (found.empty()) return Error{.kind = ErrorKind::NotFound, .what = "not a device node"};
        for (Device& device : found) device.path = path + device.path.substr(real.size());
        return found;
    }
    std::vector<Device> all() const override {
        std::vector<Device> found;
        int budget = kMostNames;
        add_devices_below("/dev", true, budget, found);
        return found;
    }
};

}  // namespace

const DeviceSource& host_devices() {
    static const HostDevices kHost;
    return kHost;
}

}  // namespace nodeagent::runtime::containerd::oci
