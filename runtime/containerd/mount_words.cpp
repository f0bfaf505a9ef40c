#include "runtime/containerd/mount_words.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>

#include "agent/base/strings.hpp"
#include "runtime/containerd/oci/documents.hpp"
#include "runtime/containerd/oci/mount_options.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using oci::clean_path;
using oci::in_quotes;
using oci::malformed;
using oci::member_of;
using oci::text_of;

bool is_propagation(std::string_view word) {
    for (const std::string_view one : {"private", "rprivate", "slave", "rslave", "shared", "rshared"}) {
        if (word == one) return true;
    }
    return false;
}

/// The third part of a bind: "ro,rslave".
struct BindMode {
    bool writable = true;
    std::optional<bool> copies;
    std::string propagation;
};

std::optional<BindMode> bind_mode(std::string_view text) {
    BindMode mode;
    if (text.empty()) return mode;
    int access = 0, label = 0, propagation = 0, copy = 0, consistency = 0;
    for (const std::string_view word : split(text, ',')) {
        if (word == "rw" || word == "ro") {
            ++access;
            mode.writable = word == "rw";
        } else if (word == "z" || word == "Z") {
            ++label;
        } else if (is_propagation(word)) {
            ++propagation;
            mode.propagation = word;
        } else if (word == "nocopy") {
            ++copy;
            mode.copies = false;
        } else if (word == "consistent" || word == "cached" || word == "delegated" || word == "default") {
            ++consistency;
        } else {
            return std::nullopt;
        }
    }
    if (access > 1 || label > 1 || propagation > 1 || copy > 1 || consistency > 1) return std::nullopt;
    return mode;
}

Error invalid_spec(const std::string& text) { return malformed("invalid volume specification: '" + text + "'"); }

Error invalid_mount(std::string_view type, const std::string& why) {
    return malformed("invalid mount config for type " + in_quotes(type) + ": " + why);
}

Result<void> check_absolute(std::string_view path) {
    if (path.starts_with('/')) return {};
    return malformed("invalid mount path: '" + std::string(path) + "' mount path must be absolute");
}

/// TmpfsOptions as mount options.
std::string tmpfs_words(const Json& mount) {
    std::vector<std::string> words;
    if (oci::flag_of(mount, "ReadOnly")) words.emplace_back("ro");
    const Json* options = member_of(mount, "TmpfsOptions");
    if (options == nullptr) return join(words, ",");
    if (const std::int64_t mode = oci::integer_or_zero(*options, "Mode"); mode != 0) {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "mode=%llo", static_cast<unsigned long long>(mode));
        words.emplace_back(text.data());
    }
    if (std::int64_t size = oci::integer_or_zero(*options, "SizeBytes"); size != 0) {
        std::string suffix;
        for (const auto& [letter, unit] :
             {std::pair{'g', 1LL << 30}, std::pair{'m', 1LL << 20}, std::pair{'k', 1LL << 10}}) {
            if (size % unit != 0) continue;
            size /= unit;
            suffix = letter;
            break;
        }
        words.push_back("size=" + std::to_string(size) + suffix);
    }
    return join(words, ",");
}

Result<void> read_bind_mount(const Json& mount, MountPoint& point) {
    point.type = MountPoint::Type::Bind;
    const std::string source = text_of(mount, "Source");
    if (source.empty()) return invalid_mount("bind", "field Source must not be empty");
    if (member_of(mount, "VolumeOptions") != nullptr) {
        return invalid_mount("bind", "field VolumeOptions must not be specified");
    }
    if (auto fine = check_absolute(source); !fine) return invalid_mount("bind", fine.error().what);
    point.source = clean_path(source);
    point.propagation = "rprivate";
    if (const Json* options = member_of(mount, "BindOptions")) {
        if (const std::string asked = text_of(*options, "Propagation"); !asked.empty()) {
            if (!is_propagation(asked)) return invalid_mount("bind", "invalid propagation mode: " + asked);
            point.propagation = asked;
        }
        point.recursive = !oci::flag_of(*options, "NonRecursive");
    }
    return {};
}

Result<void> read_volume_mount(const Json& mount, MountPoint& point) {
    point.type = MountPoint::Type::Volume;
    point.name = text_of(mount, "Source");
    point.copies = true;
    if (member_of(mount, "BindOptions") != nullptr) {
        return invalid_mount("volume", "field BindOptions must not be specified");
    }
    if (point.name.empty() && !point.writable) {
        return invalid_mount("volume", "must not set ReadOnly mode when using anonymous volumes");
    }
    const Json* options = member_of(mount, "VolumeOptions");
    if (options == nullptr) return {};
    point.copies = !oci::flag_of(*options, "NoCopy");
    if (const Json* labels = member_of(*options, "Labels")) point.labels = *labels;
    if (const Json* driver = member_of(*options, "DriverConfig")) {
        point.driver = text_of(*driver, "Name");
        if (const Json* given = member_of(*driver, "Options")) point.driver_options = *given;
    }
    return {};
}

}  // namespace

Result<void> check_mount_target(std::string_view path) {
    if (clean_path(path) == "/") return malformed("invalid specification: destination can't be '/'");
    return check_absolute(path);
}

Result<MountPoint> parse_bind(const std::string& text, const std::string& volume_driver) {
    const auto parts = split(text, ':');
    if (parts.size() > 3 || parts[0].empty()) return invalid_spec(text);
    // "destination:mode" is no volume
    if (parts.size() == 2 && bind_mode(parts[1])) return invalid_spec(text);
    const auto mode = bind_mode(parts.size() == 3 ? parts[2] : std::string_view());
    if (!mode) return malformed("invalid mode: " + std::string(parts[2]));
    const std::string_view source = parts.size() == 1 ? std::string_view() : parts[0];
    const std::string_view target = parts.size() == 1 ? parts[0] : parts[1];
    const bool is_bind = source.starts_with('/');
    const auto refuse = [&](const std::string& why) {
        return with_context(invalid_spec(text).what, invalid_mount(is_bind ? "bind" : "volume", why));
    };

    if (target.empty()) return refuse("field Target must not be empty");
    if (auto fine = check_mount_target(target); !fine) return refuse(fine.error().what);
    MountPoint point;
    point.destination = clean_path(target);
    point.writable = mode->writable;
    if (is_bind) {
        if (mode->copies) return refuse("field VolumeOptions must not be specified");
        point.source = clean_path(source);
        point.propagation = mode->propagation.empty() ? "rprivate" : mode->propagation;
        point.may_be_made = true;
        return point;
    }
    if (!mode->propagation.empty()) return refuse("field BindOptions must not be specified");
    if (source.empty() && !mode->writable) return refuse("must not set ReadOnly mode when using anonymous volumes");
    point.type = MountPoint::Type::Volume;
    point.name = source;
    point.driver = volume_driver;
    point.copies = mode->copies.value_or(true);
    return point;
}

Result<MountPoint> parse_mount(const Json& mount) {
    MountPoint point;
    const std::string type = text_of(mount, "Type");
    const std::string target = text_of(mount, "Target");
    if (target.empty()) return invalid_mount(type, "field Target must not be empty");
    if (auto fine = check_mount_target(target); !fine) return invalid_mount(type, fine.error().what);
    point.destination = clean_path(target);
    point.writable = !oci::flag_of(mount, "ReadOnly");
    if (type == "bind") {
        if (auto fine = read_bind_mount(mount, point); !fine) return fine.error();
    } else if (type == "volume") {
        if (auto fine = read_volume_mount(mount, point); !fine) return fine.error();
    } else if (type == "tmpfs") {
        point.type = MountPoint::Type::Tmpfs;
        if (member_of(mount, "BindOptions") != nullptr) {
            return invalid_mount(type, "field BindOptions must not be specified");
        }
        if (!text_of(mount, "Source").empty()) return invalid_mount(type, "field Source must not be specified");
        point.tmpfs = tmpfs_words(mount);
    } else {
        return invalid_mount(type, "mount type unknown");
    }
    return point;
}

Result<std::pair<std::string, bool>> parse_volumes_from(const std::string& text) {
    if (text.empty()) return malformed("volumes-from specification cannot be an empty string");
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return std::pair(text, true);
    const std::string words = text.substr(colon + 1);
    const auto mode = bind_mode(words);
    if (!mode || !mode->propagation.empty() || mode->copies) return malformed("invalid mode: " + words);
    return std::pair(text.substr(0, colon), mode->writable);
}

}  // namespace nodeagent::runtime::containerd
