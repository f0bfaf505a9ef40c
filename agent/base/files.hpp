#pragma once
// Whole small files: read, and replace so that a crash leaves the old or the new one, never half.

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent {

/// The content, at most `limit` bytes (longer is Malformed). NotFound and Denied by kind.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit = 16U << 20U);
/// Writes a temporary beside `path`, fsyncs, renames over it, fsyncs the directory. `mode` of the new file. Safe in a
/// directory that others write to: a link there is replaced, never followed.
[[nodiscard]] Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode = 0600);
/// mkdir -p; an existing directory is fine.
[[nodiscard]] Result<void> make_directories(const std::string& path, mode_t mode = 0755);

}  // namespace nodeagent
