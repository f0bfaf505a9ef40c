#include "agent/engine/disk.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::engine {

Result<core::DiskUse> disk_use(const std::string& folder) {
    struct statvfs facts {};
    if (::statvfs(folder.c_str(), &facts) != 0) return from_errno("free space of " + folder);
    // blocks kept for root are neither free nor ours to use
    const std::uint64_t reserved = facts.f_bfree - facts.f_bavail;
    core::DiskUse use;
    use.bytes_total = (facts.f_blocks - reserved) * facts.f_frsize;
    use.bytes_free = std::uint64_t{facts.f_bavail} * facts.f_frsize;
    use.inodes_total = facts.f_files;
    use.inodes_free = facts.f_favail;
    return use;
}

std::optional<bool> disk_rotates(const std::string& folder) {
    struct stat facts {};
    if (::stat(folder.c_str(), &facts) != 0 || major(facts.st_dev) == 0) return std::nullopt;
    const std::string device =
        "/sys/dev/block/" + std::to_string(major(facts.st_dev)) + ":" + std::to_string(minor(facts.st_dev));
    for (const char* queue : {"/queue/rotational", "/../queue/rotational"}) {  // of the disk, or of a partition's disk
        const auto text = read_file(device + queue);
        if (text) return trimmed(*text) == "1";
    }
    return std::nullopt;
}

}  // namespace nodeagent::engine
