#pragma once
// Reads a tar archive in memory: ustar, with the long names of GNU and pax. Pure; views into the archive, nothing is
// unpacked. Bounded: names, entries, and no entry beyond the archive's end.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

struct TarFile {
    std::string_view content;  ///< of a plain file
    std::string link;          ///< of a hard or symbolic link, relative to the archive's root; "" for files
};

/// Files and links by name, "./" in front left out; folders and devices are skipped. Malformed when the archive is
/// none, ends early, has more than 10,000 entries, or a name that leads out of it.
[[nodiscard]] Result<std::map<std::string, TarFile>> read_tar(std::string_view archive);

/// The content of `name`, links followed; NotFound.
[[nodiscard]] Result<std::string_view> content_of(const std::map<std::string, TarFile>& files, const std::string& name);

}  // namespace nodeagent::runtime::containerd
