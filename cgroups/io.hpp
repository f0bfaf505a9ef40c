#pragma once
// The io (v2) and blkio (v1) controllers: statistics only, the reference sets no limits.

#include <cstdint>
#include <string_view>
#include <vector>

namespace nodeagent::cgroups {

struct IoStatistics {
    /// v1 tells all of them (Discard since Linux 5), v2 Read, Write and Discard.
    enum class Operation : std::uint8_t { Read, Write, Sync, Async, Discard, Total };
    struct Entry {
        std::uint32_t major = 0;
        std::uint32_t minor = 0;
        Operation operation = Operation::Read;
        std::uint64_t value = 0;
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::vector<Entry> bytes;     ///< in the kernel's order
    std::vector<Entry> requests;  ///< likewise: how many, not how much

    [[nodiscard]] std::uint64_t bytes_of(Operation operation) const;
    [[nodiscard]] std::uint64_t requests_of(Operation operation) const;
};

/// v2 io.stat. Clears `into` first.
void parse_io_stat(std::string_view text, IoStatistics& into);
/// v1 blkio.throttle.io_service_bytes_recursive or io_serviced_recursive (or without _recursive). Clears `into` first.
void parse_blkio(std::string_view text, std::vector<IoStatistics::Entry>& into);

}  // namespace nodeagent::cgroups
