#include "runtime/containerd/cgroup_path.hpp"

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

std::string cgroup_folder(std::string_view cgroups_path) {
    if (cgroups_path.starts_with('/')) return std::string(cgroups_path);
    const auto parts = split(cgroups_path, ':');
    constexpr std::string_view kSlice = ".slice";
    if (parts.size() != 3 || !parts[0].ends_with(kSlice)) return {};
    const std::string_view name = parts[0].substr(0, parts[0].size() - kSlice.size());
    std::string folder;
    // every '-' of a slice's name is a level
    for (std::size_t dash = name.find('-'); dash != std::string_view::npos; dash = name.find('-', dash + 1)) {
        folder.append("/").append(name.substr(0, dash)).append(kSlice);
    }
    if (name != "-") folder.append("/").append(name).append(kSlice);
    const std::string scope(parts[1].empty() ? std::string(parts[2])
                                             : std::string(parts[1]) + "-" + std::string(parts[2]));
    return folder + "/" + scope + ".scope";
}

bool was_out_of_memory(const std::string& root, bool v2, std::string_view cgroups_path) {
    const std::string folder = cgroup_folder(cgroups_path);
    if (folder.empty()) return false;
    const auto text =
        read_file(v2 ? root + folder + "/memory.events" : root + "/memory" + folder + "/memory.oom_control");
    if (!text) return false;
    for (const std::string_view line : split(*text, '\n')) {
        constexpr std::string_view kKills = "oom_kill ";
        if (line.starts_with(kKills)) return parse_integer(line.substr(kKills.size())).value_or(0) > 0;
    }
    return false;
}

}  // namespace nodeagent::runtime::containerd
