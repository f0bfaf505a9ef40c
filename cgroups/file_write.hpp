#pragma once
// Limits as the kernel wants them: a value for a file of a controller's directory.

#include <string>
#include <vector>

#include "cgroups/hierarchy.hpp"

namespace nodeagent::cgroups {

struct FileWrite {
    std::string file;
    std::string value;
    friend bool operator==(const FileWrite&, const FileWrite&) = default;
};
using FileWrites = std::vector<FileWrite>;

}  // namespace nodeagent::cgroups
