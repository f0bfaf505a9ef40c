#include "agent/cli/host_view.hpp"

#include <array>
#include <cstdio>

#include "agent/base/strings.hpp"

namespace nodeagent::cli {

namespace {

std::string with_decimals(const char* format, double value) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return text.data();
}

std::string gibibytes(std::int64_t bytes) { return with_decimals("%.1f GiB", static_cast<double>(bytes) / (1 << 30)); }

std::string disk_text(const DiskAnswer& disk) {
    std::string text =
        disk.path + ": " + std::to_string(disk.bytes_percent) + "% of " + gibibytes(disk.bytes_total) + " in use";
    if (disk.inodes_total > 0) text += ", " + std::to_string(disk.inodes_percent) + "% of the inodes";
    return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> host_rows(const HostAnswer& host) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const DiskAnswer& disk : host.disks) rows.emplace_back("disk (" + disk.use + ")", disk_text(disk));
    if (host.memory_total > 0) {
        rows.emplace_back("host memory",
                          gibibytes(host.memory_available) + " of " + gibibytes(host.memory_total) + " available");
    }
    std::vector<std::string> parts;
    for (const double average : host.load) parts.push_back(with_decimals("%.2f", average));
    rows.emplace_back("load", join(parts, " "));
    parts.clear();
    for (const PressureAnswer& pressure : host.pressure)
        parts.push_back(pressure.resource + with_decimals(" %.1f%%", pressure.some_percent));
    if (!parts.empty()) rows.emplace_back("pressure", join(parts, ", ") + " of the last minute");
    rows.emplace_back("SHORT OF", join(host.short_of, "; "));
    if (!host.setup) return rows;
    if (host.setup->problems.empty()) {
        rows.emplace_back("host set-up", "as it should be, " + host.setup->at);
    } else {
        rows.emplace_back("HOST SET-UP", join(host.setup->problems, "; "));
    }
    if (host.setup->instance_metadata_open) {
        rows.emplace_back("instance metadata", *host.setup->instance_metadata_open
                                                   ? "open to containers on a bridge (ECS_BRIDGE_BLOCK_IMDS)"
                                                   : "closed to containers on a bridge");
    }
    return rows;
}

}  // namespace nodeagent::cli
