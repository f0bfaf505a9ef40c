#include "runtime/docker/legacy_plugins.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace nodeagent::runtime::docker {

namespace fs = std::filesystem;

std::vector<std::string> legacy_volume_plugins(const PluginFolders& folders) {
    std::set<std::string> names;
    const auto add = [&names](const fs::path& file) {
        std::string name = file.stem();
        std::replace(name.begin(), name.end(), ':', '.');
        names.insert(std::move(name));
    };
    // absent or unreadable folders simply hold no plugin
    std::error_code ignored;
    for (fs::directory_iterator entry(folders.sockets, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
        std::error_code unknown;
        if (entry->is_socket(unknown) && entry->path().extension() == ".sock") add(entry->path());
        if (!entry->is_directory(unknown)) continue;
        const fs::path inner = entry->path() / (entry->path().filename().string() + ".sock");
        if (fs::is_socket(inner, unknown)) add(inner);
    }
    for (const std::string& folder : folders.specs) {
        ignored.clear();
        for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
            const fs::path extension = entry->path().extension();
            if (extension == ".spec" || extension == ".json") add(entry->path());
        }
    }
    return {names.begin(), names.end()};
}

}  // namespace nodeagent::runtime::docker
