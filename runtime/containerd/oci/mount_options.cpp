#include "runtime/containerd/oci/mount_options.hpp"

#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <utility>

#include "agent/base/strings.hpp"
#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

struct MountWord {
    std::string_view word;
    unsigned long flag;
    bool clears = false;
};

constexpr std::array<MountWord, 24> kMountWords{{{"ro", MS_RDONLY},
                                                 {"rw", MS_RDONLY, true},
                                                 {"nosuid", MS_NOSUID},
                                                 {"suid", MS_NOSUID, true},
                                                 {"nodev", MS_NODEV},
                                                 {"dev", MS_NODEV, true},
                                                 {"noexec", MS_NOEXEC},
                                                 {"exec", MS_NOEXEC, true},
                                                 {"sync", MS_SYNCHRONOUS},
                                                 {"async", MS_SYNCHRONOUS, true},
                                                 {"dirsync", MS_DIRSYNC},
                                                 {"remount", MS_REMOUNT},
                                                 {"mand", MS_MANDLOCK},
                                                 {"nomand", MS_MANDLOCK, true},
                                                 {"noatime", MS_NOATIME},
                                                 {"atime", MS_NOATIME, true},
                                                 {"nodiratime", MS_NODIRATIME},
                                                 {"diratime", MS_NODIRATIME, true},
                                                 {"relatime", MS_RELATIME},
                                                 {"norelatime", MS_RELATIME, true},
                                                 {"strictatime", MS_STRICTATIME},
                                                 {"nostrictatime", MS_STRICTATIME, true},
                                                 {"bind", MS_BIND},
                                                 {"rbind", MS_BIND | MS_REC}}};

constexpr std::array<MountWord, 8> kPropagationWords{{{"private", MS_PRIVATE},
                                                      {"rprivate", MS_PRIVATE | MS_REC},
                                                      {"shared", MS_SHARED},
                                                      {"rshared", MS_SHARED | MS_REC},
                                                      {"slave", MS_SLAVE},
                                                      {"rslave", MS_SLAVE | MS_REC},
                                                      {"unbindable", MS_UNBINDABLE},
                                                      {"runbindable", MS_UNBINDABLE | MS_REC}}};

const MountWord* word_in(const auto& words, std::string_view word) {
    const auto found =
        std::find_if(words.begin(), words.end(), [word](const MountWord& one) { return one.word == word; });
    return found == words.end() ? nullptr : &*found;
}

constexpr std::size_t kMostData = 4095;  // a page, with its zero
constexpr std::string_view kLower = "lowerdir=";

/// The folder all of them are in: "/a/b" of "/a/b/1/fs" and "/a/b/2/fs".
std::string shared_folder(const std::vector<std::string_view>& paths) {
    std::string_view prefix = paths.front();
    for (const std::string_view path : paths) {
        std::size_t same = 0;
        while (same < prefix.size() && same < path.size() && prefix[same] == path[same]) ++same;
        prefix = prefix.substr(0, same);
    }
    const std::size_t slash = prefix.rfind('/');
    return slash == std::string_view::npos ? std::string() : std::string(prefix.substr(0, slash));
}

/// Lower folders written relative to what they share; "" when that does not help.
std::string shorten_layers(std::vector<std::string>& options) {
    for (std::string& option : options) {
        if (!option.starts_with(kLower)) continue;
        const std::string list = option.substr(kLower.size());
        const auto layers = split(list, ':');
        const std::string folder = shared_folder(layers);
        if (folder.empty()) return {};
        std::vector<std::string> relative;
        for (const std::string_view layer : layers) relative.emplace_back(layer.substr(folder.size() + 1));
        option = std::string(kLower) + join(relative, ":");
        return folder;
    }
    return {};
}

}  // namespace

MountArguments mount_arguments(const std::vector<std::string>& options) {
    MountArguments out;
    std::vector<std::string> data;
    for (const std::string& option : options) {
        if (const MountWord* flag = word_in(kMountWords, option)) {
            out.flags = flag->clears ? out.flags & ~flag->flag : out.flags | flag->flag;
        } else if (const MountWord* propagation = word_in(kPropagationWords, option)) {
            out.propagation = propagation->flag;
        } else if (!option.empty() && option != "defaults") {
            data.push_back(option);
        }
    }
    out.data = join(data, ",");
    return out;
}

Result<void> mount_at(const std::string& type, const std::string& source, const std::vector<std::string>& options,
                      const std::string& target) {
    MountArguments arguments = mount_arguments(options);
    if (arguments.data.size() > kMostData && type == "overlay") {
        std::vector<std::string> shorter = options;
        const std::string folder = shorten_layers(shorter);
        if (!folder.empty() && ::chdir(folder.c_str()) != 0) return from_errno("enter " + folder);
        arguments = mount_arguments(shorter);
    }
    const std::string doing = "mount " + type + " at " + target;
    const bool binds = (arguments.flags & MS_BIND) != 0;
    const void* data = arguments.data.empty() ? nullptr : arguments.data.c_str();
    if (::mount(source.c_str(), target.c_str(), type.c_str(), arguments.flags, data) != 0) return from_errno(doing);
    constexpr unsigned long kNotOfABind = MS_BIND | MS_REC;
    if (binds && (arguments.flags & ~kNotOfABind) != 0) {
        const unsigned long again = (arguments.flags & ~static_cast<unsigned long>(MS_REC)) | MS_REMOUNT;
        if (::mount(nullptr, target.c_str(), nullptr, again, nullptr) != 0) return from_errno(doing);
    }
    if (arguments.propagation != 0 && ::mount(nullptr, target.c_str(), nullptr, arguments.propagation, nullptr) != 0) {
        return from_errno(doing);
    }
    return {};
}

Result<std::vector<std::string>> tmpfs_options(std::string_view options) {
    constexpr std::array<std::string_view, 7> kValues{"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"};
    std::vector<std::string> words{"noexec", "nosuid", "nodev", "rprivate"};
    if (!options.empty()) {
        for (const std::string_view word : split(options, ',')) words.emplace_back(word);
    }
    std::vector<std::string> kept;  // from the last to the first
    std::set<unsigned long> flags;
    std::set<std::string, std::less<>> values;
    for (auto word = words.rbegin(); word != words.rend(); ++word) {
        if (*word == "defaults") continue;
        if (const MountWord* flag = word_in(kMountWords, *word)) {
            // binds and propagation: one of them all
            if (flags.insert((flag->flag & MS_BIND) != 0 ? 0 : flag->flag).second) kept.push_back(*word);
            continue;
        }
        if (word_in(kPropagationWords, *word) != nullptr) {
            if (flags.insert(0).second) kept.push_back(*word);
            continue;
        }
        const std::size_t equals = word->find('=');
        const std::string name = word->substr(0, equals);
        if (equals == std::string::npos || std::find(kValues.begin(), kValues.end(), name) == kValues.end()) {
            return malformed("Invalid tmpfs option " + in_quotes(*word));
        }
        if (values.insert(name).second) kept.push_back(*word);
    }
    std::reverse(kept.begin(), kept.end());
    return kept;
}

}  // namespace nodeagent::runtime::containerd::oci
