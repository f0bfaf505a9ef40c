#pragma once
// gzip (RFC 1952), by zlib.

#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent {

/// What `bytes` were before compression. Malformed unless they are whole gzip streams; Denied once there would be more
/// than `limit` bytes.
[[nodiscard]] Result<std::string> gunzip(std::string_view bytes, std::size_t limit);

}  // namespace nodeagent
