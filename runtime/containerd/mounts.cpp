#include "runtime/containerd/mounts.hpp"

#include <sys/random.h>

#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/mount_words.hpp"
#include "runtime/containerd/oci/documents.hpp"
#include "runtime/containerd/oci/mount_options.hpp"
#include "runtime/containerd/oci/mount_table.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using oci::malformed;

std::string random_volume_name() {
    std::string bytes(32, '\0');
    for (std::size_t at = 0; at < bytes.size();) {
        const ssize_t got = ::getrandom(bytes.data() + at, bytes.size() - at, 0);
        if (got > 0) at += static_cast<std::size_t>(got);
    }
    return hex(bytes);
}

/// The mounts of one container while they are gathered.
class MountPlanner {
  public:
    MountPlanner(const Json& config, const Json& host_config, const ImageConfig& image, Volumes& volumes,
                 const MountsOf& mounts_of, std::string container)
        : config_(config),
          host_(host_config),
          image_(image),
          volumes_(volumes),
          mounts_of_(mounts_of),
          container_(std::move(container)) {}

    Result<PlannedMounts> plan() {
        using Part = Result<void> (MountPlanner::*)();
        for (const Part part : {&MountPlanner::tmpfs, &MountPlanner::volumes_from, &MountPlanner::binds,
                                &MountPlanner::mounts, &MountPlanner::image_volumes, &MountPlanner::finish}) {
            if (auto done = (this->*part)(); !done) {
                for (const std::string& name : planned_.anonymous_volumes) (void)volumes_.remove(name);
                return done.error();
            }
        }
        return std::move(planned_);
    }

  private:
    Result<void> tmpfs() {
        for (auto& [path, options] : oci::text_map_of(host_, "Tmpfs")) {
            if (auto fine = check_mount_target(path); !fine) return fine;
            tmpfs_[oci::clean_path(path)] = options;
        }
        return {};
    }

    Result<void> volumes_from() {
        for (const std::string& text : oci::texts_of(host_, "VolumesFrom")) {
            const auto from = parse_volumes_from(text);
            if (!from) return from.error();
            const auto theirs = mounts_of_(from->first);
            if (!theirs) return theirs.error();
            for (const Mount& mount : *theirs) {
                if (mount.name.empty() && mount.source.empty()) continue;  // a tmpfs is nobody else's
                MountPoint point;
                point.type = mount.name.empty() ? MountPoint::Type::Bind : MountPoint::Type::Volume;
                point.name = mount.name;
                point.source = mount.source;
                point.destination = oci::clean_path(mount.destination);
                point.writable = !mount.read_only && from->second;
                point.propagation = mount.propagation;
                if (point.type == MountPoint::Type::Bind && point.propagation.empty()) point.propagation = "rprivate";
                points_[point.destination] = std::move(point);
            }
        }
        return {};
    }

    Result<void> binds() {
        for (const std::string& text : oci::texts_of(host_, "Binds")) {
            auto point = parse_bind(text, oci::text_of(host_, "VolumeDriver"));
            if (!point) return point.error();
            if (auto added = add(*std::move(point)); !added) return added;
        }
        return {};
    }

    Result<void> mounts() {
        for (const Json* mount : oci::objects_of(host_, "Mounts")) {
            auto point = parse_mount(*mount);
            if (!point) return point.error();
            std::error_code failed;
            if (point->type == MountPoint::Type::Bind && !std::filesystem::exists(point->source, failed)) {
                return malformed("invalid mount config for type \"bind\": bind source path does not exist: " +
                                 point->source);
            }
            if (auto added = add(*std::move(point)); !added) return added;
        }
        return {};
    }

    /// One of the container's own; two at one place are a mistake.
    Result<void> add(MountPoint point) {
        if (!own_.insert(point.destination).second || tmpfs_.contains(point.destination)) {
            return malformed("Duplicate mount point: " + point.destination);
        }
        if (point.type == MountPoint::Type::Volume) {
            if (auto made = create_volume(point); !made) return made;
        }
        points_[point.destination] = std::move(point);
        return {};
    }

    Result<void> image_volumes() {
        std::set<std::string> paths(image_.volumes.begin(), image_.volumes.end());
        if (const Json* given = oci::member_of(config_, "Volumes"); given != nullptr && given->is_object()) {
            for (const auto& entry : given->items()) paths.insert(entry.key());
        }
        for (const std::string& path : paths) {
            MountPoint point;
            point.type = MountPoint::Type::Volume;
            point.destination = oci::clean_path("/" + path);
            point.driver = oci::text_of(host_, "VolumeDriver");
            point.copies = true;
            if (auto fine = check_mount_target(point.destination); !fine) return fine;
            if (points_.contains(point.destination) || tmpfs_.contains(point.destination)) continue;
            if (auto made = create_volume(point); !made) return made;
            points_[point.destination] = std::move(point);
        }
        return {};
    }

    Result<void> create_volume(MountPoint& point) {
        const bool anonymous = point.name.empty();
        if (anonymous) point.name = random_volume_name();
        VolumeSpec spec{.name = point.name, .driver = point.driver, .driver_opts = {}, .labels = {}};
        if (anonymous && !container_.empty()) spec.labels[kVolumeContainerLabel] = container_;
        if (point.driver_options.is_object()) {
            for (const auto& [key, value] : point.driver_options.items()) {
                if (value.is_string()) spec.driver_opts[key] = value.get<std::string>();
            }
        }
        if (point.labels.is_object()) {
            for (const auto& [key, value] : point.labels.items()) {
                if (value.is_string()) spec.labels[key] = value.get<std::string>();
            }
        }
        if (auto made = volumes_.create(spec); !made) return made;
        if (anonymous) planned_.anonymous_volumes.push_back(point.name);
        return {};
    }

    /// Points and tmpfs as mounts; a tmpfs hides what else is at its place.
    Result<void> finish() {
        for (const auto& [path, options] : tmpfs_) {
            if (auto done = add_tmpfs(path, options); !done) return done;
        }
        for (auto& [path, point] : points_) {
            if (tmpfs_.contains(path)) continue;
            if (point.type == MountPoint::Type::Tmpfs) {
                if (auto done = add_tmpfs(path, point.tmpfs); !done) return done;
                planned_.shown.push_back({.name = {}, .source = {}, .destination = path});
                continue;
            }
            if (auto done = add_bind(point); !done) return done;
        }
        return {};
    }

    Result<void> add_tmpfs(const std::string& path, const std::string& options) {
        auto words = oci::tmpfs_options(options);
        if (!words) return words.error();
        planned_.mounts.push_back({"tmpfs", "tmpfs", path, *std::move(words)});
        return {};
    }

    Result<void> add_bind(MountPoint& point) {
        if (point.type == MountPoint::Type::Volume) {
            auto folder = volumes_.mount_point(point.name);
            if (!folder) return folder.error();
            point.source = *std::move(folder);
            if (point.copies && volumes_.is_empty(point.name)) {
                planned_.copies.push_back({point.name, point.destination});
            }
        } else if (point.may_be_made) {
            if (auto made = make_source(point.source); !made) return made;
        }
        if (auto fine = check_propagation(point); !fine) return fine;
        std::vector<std::string> options{point.recursive ? "rbind" : "bind"};
        if (!point.writable) options.emplace_back("ro");
        if (!point.propagation.empty()) options.push_back(point.propagation);
        planned_.mounts.push_back({"bind", point.source, point.destination, std::move(options)});
        planned_.shown.push_back({.name = point.name,
                                  .source = point.source,
                                  .destination = point.destination,
                                  .read_only = !point.writable,
                                  .propagation = point.propagation});
        return {};
    }

    static Result<void> make_source(const std::string& path) {
        std::error_code failed;
        if (std::filesystem::exists(path, failed)) return {};
        auto made = make_directories(path, 0755);
        if (!made) return with_context("error while creating mount source path '" + path + "'", made.error());
        return {};
    }

    /// Events of mounts travel only where the source's own mount lets them.
    Result<void> check_propagation(const MountPoint& point) {
        const bool shared = point.propagation == "shared" || point.propagation == "rshared";
        const bool slave = point.propagation == "slave" || point.propagation == "rslave";
        if (!shared && !slave) return {};
        std::error_code failed;
        const std::string real = std::filesystem::canonical(point.source, failed).string();
        if (failed) return from_error_code("mount " + point.source, failed);
        const auto table = oci::mount_table();
        if (!table) return table.error();
        const oci::MountEntry* entry = oci::mount_of(*table, real);
        if (entry != nullptr && (entry->shared || (slave && entry->slave))) return {};
        const std::string on = entry == nullptr ? "/" : entry->point;
        return malformed("path " + point.source + " is mounted on " + on + " but it is not a shared " +
                         (slave ? "or slave mount" : "mount"));
    }

    const Json& config_;
    const Json& host_;
    const ImageConfig& image_;
    Volumes& volumes_;
    const MountsOf& mounts_of_;
    std::string container_;
    std::map<std::string, std::string> tmpfs_;  ///< options by path
    std::map<std::string, MountPoint> points_;  ///< by path
    std::set<std::string> own_;                 ///< paths of Binds and Mounts
    PlannedMounts planned_;
};

}  // namespace

Result<PlannedMounts> plan_mounts(const Json& config, const Json& host_config, const ImageConfig& image,
                                  Volumes& volumes, const MountsOf& mounts_of, const std::string& container) {
    return MountPlanner(config, host_config, image, volumes, mounts_of, container).plan();
}

}  // namespace nodeagent::runtime::containerd
