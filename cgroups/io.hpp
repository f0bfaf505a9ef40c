#pragma once
// The io (v2) and blkio (v1) controllers: statistics only, the reference sets no limits.

#include <cstdint>
#include <string_view>
#include <vector>

namespace nodeagent::cgroups {

struct IoStatistics {
    struct Device {
        std::uint32_t major = 0;
        std::uint32_t minor = 0;
        std::uint64_t read_bytes = 0;
        std::uint64_t write_bytes = 0;
        std::uint64_t reads = 0;
        std::uint64_t writes = 0;
        friend bool operator==(const Device&, const Device&) = default;
    };
    std::vector<Device> devices;
    [[nodiscard]] std::uint64_t read_bytes() const;
    [[nodiscard]] std::uint64_t write_bytes() const;
};

/// v2 io.stat. Clears `into` first.
void parse_io_stat(std::string_view text, IoStatistics& into);
/// v1 blkio.throttle.io_service_bytes_recursive (or without _recursive), then ..io_serviced..; the first clears `into`.
void parse_blkio_service_bytes(std::string_view text, IoStatistics& into);
void parse_blkio_serviced(std::string_view text, IoStatistics& into);

}  // namespace nodeagent::cgroups
