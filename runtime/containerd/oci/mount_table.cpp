#include "runtime/containerd/oci/mount_table.hpp"

#include <algorithm>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

constexpr std::size_t kPoint = 4, kFirstOptional = 6;  // columns

/// "\040" is a blank.
std::string unescaped_point(std::string_view text) {
    const auto digit = [](char c) { return c >= '0' && c <= '7'; };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && digit(text[i + 1]) && digit(text[i + 2]) && digit(text[i + 3])) {
            out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool is_within(std::string_view path, std::string_view folder) {
    if (folder == "/") return path.starts_with('/');
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

std::vector<MountEntry> parse_mount_table(std::string_view text) {
    std::vector<MountEntry> table;
    for (const std::string_view line : split(text, '\n')) {
        const auto columns = split(line, ' ');
        if (columns.size() <= kFirstOptional) continue;
        MountEntry entry{.point = unescaped_point(columns[kPoint])};
        for (std::size_t i = kFirstOptional; i < columns.size() && columns[i] != "-"; ++i) {
            if (columns[i].starts_with("shared:")) entry.shared = true;
            if (columns[i].starts_with("master:")) entry.slave = true;
        }
        table.push_back(std::move(entry));
    }
    return table;
}

Result<std::vector<MountEntry>> mount_table() {
    const auto text = read_file("/proc/self/mountinfo");
    if (!text) return text.error();
    return parse_mount_table(*text);
}

const MountEntry* mount_of(const std::vector<MountEntry>& table, std::string_view path) {
    const MountEntry* best = nullptr;
    for (const MountEntry& entry : table) {  // of several at one point the last is on top
        if (is_within(path, entry.point) && (best == nullptr || entry.point.size() >= best->point.size()))
            best = &entry;
    }
    return best;
}

bool has_mounts(const std::vector<MountEntry>& table, std::string_view path) {
    return std::any_of(table.begin(), table.end(),
                       [path](const MountEntry& entry) { return is_within(entry.point, path); });
}

}  // namespace nodeagent::runtime::containerd::oci
