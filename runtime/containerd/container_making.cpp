// Containers: create.

#include <algorithm>
#include <csignal>
#include <fstream>
#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/containers.hpp"
#include "runtime/containerd/host_facts.hpp"
#include "runtime/containerd/log_setup.hpp"
#include "runtime/containerd/mounts.hpp"
#include "runtime/containerd/oci/cgroup_support.hpp"
#include "runtime/containerd/oci/rootfs.hpp"
#include "runtime/containerd/oci/spec.hpp"
#include "runtime/containerd/oci/user.hpp"
#include "runtime/containerd/stop_signal.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::size_t kPasswdLimit = 1U << 20U;

std::string text(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// 64 hexadecimal digits, as Docker's.
std::string new_id() {
    std::string id;
    for (int part = 0; part < 2; ++part) {
        std::string uuid = uuid4() + uuid4();
        std::erase(uuid, '-');
        // the fixed bits of a UUID are not random; two of them have more than enough that are
        id += uuid.substr(part == 0 ? 0 : 32, 32);
    }
    return id;
}

/// The container holding a wanted name is ours when it carries every label we would give it.
bool carries_labels(const Container& existing, const Json& config) {
    const auto labels = config.find("Labels");
    if (labels == config.end() || !labels->is_object()) return false;
    for (const auto& [key, value] : labels->items()) {
        const auto found = existing.labels.find(key);
        if (found == existing.labels.end() || !value.is_string() ||
            value.get_ref<const std::string&>() != found->second) {
            return false;
        }
    }
    return true;
}

Labels labels_of(const Json& config, const ImageConfig& image) {
    Labels labels = image.labels;
    const auto own = config.find("Labels");
    if (own == config.end() || !own->is_object()) return labels;
    for (const auto& [key, value] : own->items()) {
        if (value.is_string()) labels[key] = value.get<std::string>();
    }
    return labels;
}

Result<int> stop_signal_of(const Json& config, const ImageConfig& image) {
    std::string word = text(config, "StopSignal");
    if (word.empty()) word = image.stop_signal;
    if (word.empty()) return SIGTERM;
    const auto signal = signal_number(word);
    if (!signal) return Error{.kind = ErrorKind::Malformed, .what = "Invalid signal: " + word};
    return *signal;
}

/// "" or "container:<id or name>": the other's id, resolved now.
constexpr std::string_view kContainerMode = "container:";

}  // namespace

/// What "host", "private", "container:x" of a namespace means: "host", "" or the path of the other's namespace.
Result<std::string> Containers::namespace_of(const std::string& mode, const char* kind) {
    if (mode == "host") return std::string("host");
    if (!mode.starts_with(kContainerMode)) return std::string();
    const auto id = id_of(mode.substr(kContainerMode.size()));
    if (!id) return id.error();
    const auto task = task_of(*id);
    if (!task) return task.error();
    if (!*task || (*task)->status != TaskStatus::Running) {
        return Error{.kind = ErrorKind::Conflict,
                     .what = "cannot join " + std::string(kind) + " of a non running container: " + *id};
    }
    return "/proc/" + std::to_string((*task)->pid) + "/ns/" + kind;
}

Result<std::optional<std::string>> Containers::existing(const ContainerSpec& spec) {
    const auto id = id_of(spec.name);
    if (!id) {
        if (id.error().kind == ErrorKind::NotFound) return std::optional<std::string>();
        return id.error();
    }
    const auto container = own(*id);
    if (!container) return container.error();
    if (carries_labels(*container, spec.config)) return std::optional(*id);
    return Error{.kind = ErrorKind::Conflict,
                 .what = "Conflict. The container name \"/" + spec.name + "\" is already in use by container \"" + *id +
                         "\". You have to remove (or rename) that container to be able to reuse that name."};
}

Result<std::string> Containers::create(const ContainerSpec& spec) {
    const auto known = existing(spec);
    if (!known) return known.error();
    if (*known) return **known;
    const auto image = images_.find(text(spec.config, "Image"));
    if (!image) return image.error();
    const std::string id = new_id();
    const BeingMade mark(*this, id);
    std::vector<std::string> anonymous_volumes;
    auto made = make(spec, id, *image, anonymous_volumes);
    if (made) return id;
    // the answer may have been all that was lost; where this is not known, the container may still be there and need
    // its root and volumes: if it is not, they are strays when containerd is connected anew
    const auto deleted = client_->delete_container(id);
    if (deleted || deleted.error().kind == ErrorKind::NotFound) {
        (void)images_.remove_root(id);
        for (const std::string& volume : anonymous_volumes) (void)volumes_.remove(volume);
    }
    return std::move(made).error();
}

Result<void> Containers::make(const ContainerSpec& spec, const std::string& id, const StoredImage& image,
                              std::vector<std::string>& anonymous_volumes) {
    Creation creation;
    creation.name = spec.name;
    creation.image = text(spec.config, "Image");
    creation.image_id = image.config.id;
    creation.config = spec.config;
    creation.host_config = spec.host_config;
    if (!creation.host_config.is_object()) creation.host_config = Json::object();
    if (auto valid = check_log_config(creation.host_config, options_.logs); !valid) return valid;
    const auto signal = stop_signal_of(creation.config, image.config);
    if (!signal) return signal.error();
    creation.stop_signal = *signal;
    creation.health_check = health_check(creation.config, image.config);

    auto root = images_.prepare_root(id, image);
    if (!root) return std::move(root).error();
    auto planned = plan_mounts(
        creation.config, creation.host_config, image.config, volumes_,
        [this](const std::string& other) -> Result<std::vector<Mount>> {
            auto seen = inspect(other);
            if (!seen) return std::move(seen).error();
            return std::move(seen->view.mounts);
        },
        id);
    if (!planned) return std::move(planned).error();
    anonymous_volumes = planned->anonymous_volumes;
    return record(spec, id, image, *root, *planned, creation);
}

/// The container's record, of everything that was planned.
Result<void> Containers::record(const ContainerSpec& spec, const std::string& id, const StoredImage& image,
                                const std::vector<SnapshotMount>& root, const PlannedMounts& planned,
                                Creation& creation) {
    creation.mounts = planned.shown;
    creation.anonymous_volumes = planned.anonymous_volumes;

    oci::User user;
    const std::string working_dir = oci::working_directory(creation.config, image.config);
    std::vector<std::string> groups;
    if (const auto added = creation.host_config.find("GroupAdd");
        added != creation.host_config.end() && added->is_array()) {
        for (const Json& group : *added) {
            if (group.is_string()) groups.push_back(group.get<std::string>());
        }
    }
    auto prepared = oci::with_root(root, [&](int root_fd) -> Result<void> {
        const std::string passwd = oci::read_in_root(root_fd, "/etc/passwd", kPasswdLimit);
        const std::string group = oci::read_in_root(root_fd, "/etc/group", kPasswdLimit);
        auto resolved = oci::resolve_user(oci::user_word(creation.config, image.config), groups, passwd, group);
        if (!resolved) return std::move(resolved).error();
        user = *std::move(resolved);
        if (working_dir != "/") {
            if (auto there = oci::make_directory_in_root(root_fd, working_dir); !there) return there;
        }
        for (const auto& copy : planned.copies) {
            const auto target = volumes_.mount_point(copy.volume);
            if (!target) return target.error();
            if (auto copied = oci::copy_from_root(root_fd, copy.path, *target); !copied) return copied;
        }
        return {};
    });
    if (!prepared) return prepared;

    auto document = document_of(id, creation, image.config, user, planned.mounts);
    if (!document) return std::move(document).error();
    Container container;
    container.id = id;
    container.labels = labels_of(creation.config, image.config);
    container.image = image.record;
    container.spec = dump_json(*document);
    container.snapshot_key = id;
    container.labels[kNameLabel] = spec.name;
    container.labels[kImageIdLabel] = image.config.id;
    container.options.systemd_cgroup = options_.systemd_cgroup;
    if (const std::string runtime = text(creation.host_config, "Runtime"); !runtime.empty() && runtime != "runc") {
        container.options.binary_name = runtime == "nvidia" ? "nvidia-container-runtime" : runtime;
    }
    const auto snapshotter = images_.snapshotter();
    if (!snapshotter) return snapshotter.error();
    container.snapshotter = *snapshotter;
    creation.config.erase("Env");  // it is in the document
    container.extensions.emplace(kCreationKey, encode(creation));
    return client_->create_container(container);
}

/// The files stand where the container keeps its data; they are written when it starts.
void Containers::add_etc_mounts(std::vector<oci::MountPlan>& mounts, const std::string& owner) const {
    for (const char* name : {"resolv.conf", "hostname", "hosts"}) {
        const std::string target = std::string("/etc/") + name;
        const auto taken = [&target](const oci::MountPlan& mount) { return mount.destination == target; };
        if (std::any_of(mounts.begin(), mounts.end(), taken)) continue;
        mounts.push_back(
            {.source = data_folder(owner) + "/" + name, .destination = target, .options = {"rbind", "rw", "rprivate"}});
    }
}

Result<Json> Containers::document_of(const std::string& id, const Creation& creation, const ImageConfig& image,
                                     const oci::User& user, const std::vector<oci::MountPlan>& mounts) {
    const Json& host_config = creation.host_config;
    const HostFacts& host = host_facts();
    const auto owner = network_owner(id, host_config);
    if (!owner) return owner.error();
    oci::SpecInputs inputs{.config = creation.config,
                           .host_config = host_config,
                           .image = image,
                           .container_id = id,
                           .hostname = hostname_of(id, creation.config, host_config),
                           .domainname = text(creation.config, "Domainname"),
                           .user = user,
                           .mounts = mounts,
                           .netns_path = {},
                           .pid_namespace = {},
                           .ipc_namespace = {},
                           .shm_source = {},
                           .init_program = options_.init_program};
    const std::string network = text(host_config, "NetworkMode");
    add_etc_mounts(inputs.mounts, *owner);
    if (const auto read_only = host_config.find("ReadonlyRootfs");
        read_only != host_config.end() && *read_only == true) {
        // these files belong to a root that is read-only
        for (std::size_t i = mounts.size(); i < inputs.mounts.size(); ++i) inputs.mounts[i].options[1] = "ro";
    }
    bool host_network = network == "host";
    if (*owner != id) {  // one that follows a container on the host's network is on it, too
        const auto other = own(*owner);
        if (!other) return other.error();
        const auto made = creation_of(*other);
        host_network = made && text(made->host_config, "NetworkMode") == "host";
    }
    if (!host_network) inputs.netns_path = networks_.netns_path(*owner);
    auto pids = namespace_of(text(host_config, "PidMode"), "pid");
    if (!pids) return std::move(pids).error();
    inputs.pid_namespace = *std::move(pids);
    const std::string ipc = text(host_config, "IpcMode");
    auto ipcs = namespace_of(ipc, "ipc");
    if (!ipcs) return std::move(ipcs).error();
    inputs.ipc_namespace = *std::move(ipcs);
    if (ipc.starts_with(kContainerMode)) {
        const auto other = id_of(ipc.substr(kContainerMode.size()));
        if (!other) return other.error();
        inputs.shm_source = shm_folder(*other);
    } else if (ipc == "host") {
        inputs.shm_source = "/dev/shm";
    } else if (ipc == "shareable") {
        inputs.shm_source = shm_folder(id);
    }
    inputs.cgroup_v2 = options_.cgroup_v2;
    inputs.systemd_cgroup = options_.systemd_cgroup;
    inputs.last_capability = host.last_capability;
    inputs.kernel_major = host.kernel_major;
    inputs.kernel_minor = host.kernel_minor;
    inputs.apparmor = options_.apparmor;
    inputs.default_ulimits = options_.default_ulimits;
    static const oci::CgroupSupport cgroups = oci::cgroup_support(options_.cgroup_root, options_.cgroup_v2);
    inputs.cgroups = cgroups;
    inputs.available_capabilities = capabilities_of_daemon(options_.socket);
    std::vector<std::string> warnings;
    auto document = oci::runtime_spec(inputs, &warnings);
    for (const std::string& warning : warnings) log::warn(warning, {{"container", creation.name}});
    return document;
}

}  // namespace nodeagent::runtime::containerd
