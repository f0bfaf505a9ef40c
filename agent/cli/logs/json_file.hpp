#pragma once
// The log driver json-file of containers on containerd: PATH, and before it what was rotated away, PATH.1 (or
// PATH.1.gz), PATH.2 ..., the highest number the oldest.

#include <memory>

#include "agent/cli/logs/source.hpp"

namespace nodeagent::cli {

/// NotFound until the file is there. Rotation while it is read loses nothing, except what is rotated out of existence
/// between two looks.
[[nodiscard]] std::unique_ptr<LogSource> json_file_source(std::string path, LogWindow window);

}  // namespace nodeagent::cli
