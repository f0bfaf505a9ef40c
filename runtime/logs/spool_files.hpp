#pragma once
// The files of a spool: segments with increasing numbers, the place up to which all was sent, and the lock of the
// program that works on it. Also for who only looks at it.

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace nodeagent::runtime::logs {

struct SpoolPosition {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
    friend auto operator<=>(const SpoolPosition&, const SpoolPosition&) = default;
};

struct SpoolSegment {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
};

[[nodiscard]] std::string segment_path(const std::string& directory, std::uint64_t segment);
[[nodiscard]] std::string position_path(const std::string& directory);
[[nodiscard]] std::string lock_path(const std::string& directory);
/// What memory still held at the end.
[[nodiscard]] std::string rest_path(const std::string& directory);

/// In their order; none when there is no such directory.
[[nodiscard]] std::vector<SpoolSegment> segments_of(const std::string& directory);
/// Segment 0 when nothing is written down.
[[nodiscard]] SpoolPosition saved_position(const std::string& directory);

/// What a spool holds that nobody has sent yet.
struct SpoolRest {
    std::uint64_t bytes = 0;
    std::int64_t newest = 0;  ///< when something was last written, in seconds since 1970
    bool in_use = false;      ///< a program works on it
};
[[nodiscard]] SpoolRest spool_rest(const std::string& directory);

}  // namespace nodeagent::runtime::logs
