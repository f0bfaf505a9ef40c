#include "runtime/containerd/volumes.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/mount.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/oci/documents.hpp"
#include "runtime/containerd/oci/mount_options.hpp"
#include "runtime/containerd/oci/mount_table.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using oci::in_quotes;
using oci::malformed;

constexpr const char* kData = "/_data";
constexpr const char* kRecord = "/volume.json";

/// [a-zA-Z0-9][a-zA-Z0-9_.-]+
bool is_volume_name(std::string_view name) {
    const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    if (name.size() < 2 || name.size() > 255 || !plain(name.front())) return false;
    for (const char c : name) {
        if (!plain(c) && c != '_' && c != '.' && c != '-') return false;
    }
    return true;
}

Result<void> check_name(const std::string& name) {
    if (is_volume_name(name)) return {};
    if (name.size() == 1) {
        return malformed("create " + name +
                         ": volume name is too short, names should be at least two alphanumeric characters");
    }
    return malformed("create " + name + ": " + in_quotes(name) +
                     " includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are "
                     "allowed. If you intended to pass a host directory, use absolute path");
}

std::string option(const VolumeSpec& spec, const std::string& name) {
    const auto found = spec.driver_opts.find(name);
    return found == spec.driver_opts.end() ? std::string() : found->second;
}

Result<void> check_options(const VolumeSpec& spec) {
    const std::string doing = "create " + spec.name + ": ";
    if (!spec.driver.empty() && spec.driver != "local") {
        return malformed(doing + "error looking up volume plugin " + spec.driver + ": plugin " +
                         in_quotes(spec.driver) + " not found");
    }
    for (const auto& [name, value] : spec.driver_opts) {
        if (name == "size") return malformed(doing + "quota size requested but no quota support");
        if (name != "type" && name != "o" && name != "device") {
            return malformed(doing + "invalid option: " + in_quotes(name));
        }
    }
    struct Need {
        const char *given, *needed;
    };
    for (const Need& need : {Need{"device", "type"}, Need{"type", "device"}, Need{"o", "device"}, Need{"o", "type"}}) {
        if (spec.driver_opts.contains(need.given) && !spec.driver_opts.contains(need.needed)) {
            return malformed(doing + "missing required option: " + in_quotes(need.needed));
        }
    }
    return {};
}

Error no_such_volume(const std::string& name) {
    return Error{.kind = ErrorKind::NotFound, .what = "get " + name + ": no such volume"};
}

/// addr=name of a file server with its number instead: the kernel resolves no names.
Result<void> resolve_address(std::string& word) {
    constexpr std::string_view kAddress = "addr=";
    if (!word.starts_with(kAddress)) return {};
    const std::string host = word.substr(kAddress.size());
    in_addr number{};
    if (host.empty() || ::inet_pton(AF_INET, host.c_str(), &number) == 1) return {};
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); failed != 0) {
        return Error{
            .kind = ErrorKind::Unavailable,
            .what = "error resolving passed in network volume address: " + host + ": " + ::gai_strerror(failed)};
    }
    std::array<char, NI_MAXHOST> text{};
    const int named =
        ::getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
    ::freeaddrinfo(found);
    if (named == 0) word = std::string(kAddress) + text.data();
    return {};
}

bool is_mounted(const std::string& folder) {
    const auto table = oci::mount_table();
    std::error_code failed;
    const std::string real = std::filesystem::canonical(folder, failed).string();
    if (!table || failed) return false;
    const oci::MountEntry* entry = oci::mount_of(*table, real);
    return entry != nullptr && entry->point == real;
}

/// Mounts what the driver options say. Options may hold a password: no text of an error shows them.
Result<void> mount_volume(const VolumeSpec& spec, const std::string& folder) {
    const std::string type = option(spec, "type");
    const std::string given = option(spec, "o");
    std::vector<std::string> words;
    for (const std::string_view word : split(given, ',')) words.emplace_back(word);
    if (type == "nfs" || type == "nfs4" || type == "cifs") {
        for (std::string& word : words) {
            if (auto done = resolve_address(word); !done) return done;
        }
    }
    auto mounted = oci::mount_at(type, option(spec, "device"), words, folder);
    if (!mounted) return with_context("failed to mount local volume", mounted.error());
    return {};
}

}  // namespace

Volumes::Volumes(std::string data_dir) : root_(std::move(data_dir) + "/volumes") {}

std::string Volumes::folder(const std::string& name) const { return root_ + "/" + name; }

Result<VolumeSpec> Volumes::load(const std::string& name) const {
    if (!is_volume_name(name)) return no_such_volume(name);
    const auto text = read_file(folder(name) + kRecord);
    if (!text) {
        if (text.error().kind == ErrorKind::NotFound) return no_such_volume(name);
        return with_context("get " + name, text.error());
    }
    const auto record = parse_json(*text);
    if (!record) return with_context("get " + name, record.error());
    VolumeSpec spec{.name = name, .driver = "local", .driver_opts = {}, .labels = {}};
    for (auto& [key, value] : oci::text_map_of(*record, "DriverOpts")) spec.driver_opts[key] = value;
    for (auto& [key, value] : oci::text_map_of(*record, "Labels")) spec.labels[key] = value;
    return spec;
}

Result<void> Volumes::create(const VolumeSpec& spec) {
    if (auto fine = check_name(spec.name); !fine) return fine;
    if (auto fine = check_options(spec); !fine) return fine;
    const std::lock_guard lock(mutex_);
    const auto there = load(spec.name);
    if (there) return {};
    if (there.error().kind != ErrorKind::NotFound) return there.error();
    const std::string doing = "create " + spec.name;
    if (auto made = make_directories(root_, 0701); !made) return with_context(doing, made.error());
    if (auto made = make_directories(folder(spec.name), 0701); !made) return with_context(doing, made.error());
    if (auto made = make_directories(folder(spec.name) + kData, 0755); !made) return with_context(doing, made.error());
    const Json record{{"Name", spec.name}, {"DriverOpts", spec.driver_opts}, {"Labels", spec.labels}};
    // written last: until then there is no such volume
    auto saved = replace_file(folder(spec.name) + kRecord, dump_json(record));
    if (!saved) return with_context(doing, saved.error());
    return {};
}

Result<VolumeSpec> Volumes::inspect(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return load(name);
}

Result<std::string> Volumes::mounted_folder(const std::string& name) const {
    const auto spec = load(name);
    if (!spec) return spec.error();
    std::string data = folder(name) + kData;
    if (!option(*spec, "device").empty() && !is_mounted(data)) {
        if (auto mounted = mount_volume(*spec, data); !mounted) {
            return with_context("error while mounting volume '" + data + "'", mounted.error());
        }
    }
    return data;
}

Result<std::string> Volumes::mount_point(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return mounted_folder(name);
}

Result<void> Volumes::remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto spec = load(name);
    if (!spec) return spec.error();
    const std::string doing = "remove " + name;
    const std::string data = folder(name) + kData;
    if (!option(*spec, "device").empty()) {
        while (is_mounted(data)) {
            if (::umount2(data.c_str(), UMOUNT_NOFOLLOW) != 0) return from_errno(doing + ": unmount");
        }
    }
    // what is still mounted there belongs to somebody else
    std::error_code failed;
    const std::string real = std::filesystem::canonical(folder(name), failed).string();
    if (failed) return from_error_code(doing, failed);
    const auto table = oci::mount_table();
    if (!table) return with_context(doing, table.error());
    if (oci::has_mounts(*table, real)) {
        return Error{.kind = ErrorKind::Conflict, .what = doing + ": volume is in use: something is mounted in it"};
    }
    std::filesystem::remove_all(data, failed);
    if (!failed) std::filesystem::remove_all(folder(name), failed);
    if (failed) return from_error_code(doing, failed);
    return {};
}

std::vector<Volumes::MadeFor> Volumes::made_for_containers() {
    const std::lock_guard lock(mutex_);
    std::vector<MadeFor> found;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(root_, failed)) {
        const std::string name = entry.path().filename().string();
        const auto spec = load(name);
        if (spec) {
            const auto label = spec->labels.find(kVolumeContainerLabel);
            if (label != spec->labels.end()) found.push_back({.volume = name, .container = label->second});
        } else if (spec.error().kind == ErrorKind::NotFound && is_volume_name(name)) {
            // nothing was ever mounted or written there
            std::error_code ignored;
            std::filesystem::remove(entry.path() / (kData + 1), ignored);
            std::filesystem::remove(entry.path(), ignored);
        }
    }
    return found;
}

bool Volumes::is_empty(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto data = mounted_folder(name);
    if (!data) return false;
    std::error_code failed;
    const bool empty = std::filesystem::is_empty(*data, failed);
    return !failed && empty;
}

}  // namespace nodeagent::runtime::containerd
