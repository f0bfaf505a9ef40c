// Containers: start.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/containers.hpp"
#include "runtime/containerd/host_facts.hpp"
#include "runtime/containerd/log_setup.hpp"
#include "runtime/containerd/network/etc_files.hpp"
#include "runtime/containerd/network/links.hpp"
#include "runtime/containerd/oci/exec_process.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::string_view kContainerMode = "container:";
constexpr std::int64_t kShmBytes = 64 << 20;

std::string text(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<void> make_folder(const std::string& path, mode_t mode) {
    std::error_code failed;
    std::filesystem::create_directories(path, failed);
    if (failed) return from_error_code("make " + path, failed);
    if (::chmod(path.c_str(), mode) != 0) return from_errno("change the mode of " + path);
    return {};
}

/// A memory file system that containers of one IPC namespace share.
Result<void> mount_shm(const std::string& folder, std::int64_t bytes) {
    if (auto made = make_folder(folder, 0700); !made) return made;
    const std::string options = "mode=1777,size=" + std::to_string(bytes > 0 ? bytes : kShmBytes);
    (void)::umount2(folder.c_str(), MNT_DETACH);
    if (::mount("shm", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()) != 0) {
        return from_errno("mount shared memory at " + folder);
    }
    return {};
}

/// The runtime's words for a start that failed, as people know them.
Error of_start(Error error) {
    constexpr std::string_view kShim = "failed to create shim task: ";
    if (error.what.starts_with(kShim)) error.what.erase(0, kShim.size());
    return error;
}

}  // namespace

std::string Containers::shm_folder(const std::string& id) const { return run_folder(id) + "/shm"; }

/// Whose network it has: its own, or the container's that NetworkMode names.
Result<std::string> Containers::network_owner(const std::string& id, const Json& host_config) {
    const std::string mode = text(host_config, "NetworkMode");
    if (!mode.starts_with(kContainerMode)) return id;
    return id_of(mode.substr(kContainerMode.size()));
}

std::string Containers::hostname_of(const std::string& id, const Json& config, const Json& host_config) {
    if (std::string given = text(config, "Hostname"); !given.empty()) return given;
    if (text(host_config, "NetworkMode") == "host") return host_name();
    return id.substr(0, 12);
}

Result<std::vector<LinkedContainer>> Containers::links_of(const Json& host_config) {
    std::vector<LinkedContainer> linked;
    const auto links = host_config.find("Links");
    if (links == host_config.end() || !links->is_array()) return linked;
    for (const Json& link : *links) {
        if (!link.is_string()) continue;
        const std::string& words = link.get_ref<const std::string&>();
        const std::size_t colon = words.rfind(':');
        std::string name = words.substr(0, colon);
        if (name.starts_with('/')) name.erase(0, 1);
        const auto other = inspect(name);
        if (!other) return with_context("link to " + name, other.error());
        if (other->view.phase != ContainerPhase::Running) {
            return Error{.kind = ErrorKind::Conflict, .what = "Cannot link to a non running container: /" + name};
        }
        const auto container = own(other->view.id);
        if (!container) return container.error();
        const auto creation = creation_of(*container);
        if (!creation) return creation.error();
        LinkedContainer one;
        one.alias = colon == std::string::npos ? name : words.substr(colon + 1);
        one.name = name;
        one.hostname = hostname_of(container->id, creation->config, creation->host_config);
        one.ipv4 = other->view.networks.empty() ? std::string() : other->view.networks.front().ipv4_address;
        one.env = other->view.env;
        if (const auto ports = creation->config.find("ExposedPorts");
            ports != creation->config.end() && ports->is_object()) {
            for (const auto& [port, nothing] : ports->items()) one.exposed_ports.push_back(port);
        }
        linked.push_back(std::move(one));
    }
    return linked;
}

/// Namespaces of other containers have new paths after a restart of theirs, and linked ones new addresses.
Result<void> Containers::refresh_document(const Container& container, const Creation& creation,
                                          const std::vector<LinkedContainer>& links) {
    auto document = parse_json(container.spec);
    if (!document || !document->is_object()) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "the OCI document of container " + container.id + " cannot be read"};
    }
    bool changed = false;
    for (const auto& [key, kind] : {std::pair{"PidMode", "pid"}, std::pair{"IpcMode", "ipc"}}) {
        const std::string mode = text(creation.host_config, key);
        if (!mode.starts_with(kContainerMode)) continue;
        auto path = namespace_of(mode, kind);
        if (!path) return std::move(path).error();
        for (Json& one : (*document)["linux"]["namespaces"]) {
            if (one.value("type", "") != kind || one.value("path", "") == *path) continue;
            one["path"] = *path;
            changed = true;
        }
    }
    if (!links.empty()) {
        Json& env = (*document)["process"]["env"];
        for (const std::string& variable : link_environment(creation.name, links)) {
            const std::string name = variable.substr(0, variable.find('=') + 1);
            Json* set = nullptr;
            for (Json& one : env) {
                if (one.is_string() && one.get_ref<const std::string&>().starts_with(name)) set = &one;
            }
            if (set != nullptr && *set == variable) continue;
            if (set != nullptr) {
                *set = variable;
            } else {
                env.push_back(variable);
            }
            changed = true;
        }
    }
    if (!changed) return {};
    return client_->set_spec(container.id, dump_json(*document));
}

/// Of a run before, or of a start that broke off: nothing of it may be in the way.
Result<void> Containers::clear(const Container& container, const std::optional<Process>& task) {
    if (task && task->status == TaskStatus::Created) {
        (void)client_->kill(container.id, {}, SIGKILL, true);
        const auto deleted = client_->delete_task(container.id);
        if (!deleted && deleted.error().kind != ErrorKind::NotFound) return deleted.error();
    }
    if (task && task->status == TaskStatus::Stopped) {
        if (auto noted = note_end(container.id, false); !noted) return noted;
    }
    if (const auto down = take_down(container.id); !down) return down.error();
    return {};
}

Result<Running> Containers::start(const std::string& id, std::chrono::nanoseconds deadline,
                                  const std::function<void()>& made) {
    auto container = own(id);
    if (!container) return container.error();
    const auto creation = creation_of(*container);
    if (!creation) return creation.error();
    const auto task = task_of(id);
    if (!task) return task.error();
    if (*task && ((*task)->status == TaskStatus::Running || (*task)->status == TaskStatus::Paused)) {
        made();
        return *running_of(*container);
    }
    if (auto cleared = clear(*container, *task); !cleared) return cleared.error();

    Life life;
    auto begun = begin(*container, *creation, life, std::chrono::steady_clock::now() + deadline, made);
    if (begun) {
        container->extensions[kLifeKey] = encode(life);
        return *running_of(*container);
    }
    Error error = of_start(std::move(begun).error());
    // a daemon that is gone says nothing of the container; the next start finds what there is
    if (error.kind == ErrorKind::Unavailable) return error;
    (void)client_->kill(id, {}, SIGKILL, true);
    (void)client_->delete_task(id);
    if (auto detached = networks_.detach(id); !detached) {
        log::warn("what a container had of the network stays for now",
                  {{"container", id}, {"cause", detached.error().what}});
    }
    Life failed;
    failed.error = error.what;
    (void)set_life(id, failed);
    return error;
}

Result<void> Containers::begin(const Container& container, const Creation& creation, Life& life,
                               std::chrono::steady_clock::time_point until, const std::function<void()>& made) {
    const std::string& id = container.id;
    const auto left = [until]() -> std::chrono::nanoseconds {
        return std::max<std::chrono::nanoseconds>(until - std::chrono::steady_clock::now(),
                                                  std::chrono::milliseconds(1));
    };
    const std::string mode = text(creation.host_config, "NetworkMode");
    if (auto folder = make_folder(data_folder(id), 0711); !folder) return folder;
    if (auto folder = make_folder(run_folder(id), 0700); !folder) return folder;
    if (text(creation.host_config, "IpcMode") == "shareable") {
        const auto size = creation.host_config.find("ShmSize");
        const bool given = size != creation.host_config.end() && size->is_number_integer();
        if (auto shm = mount_shm(shm_folder(id), given ? size->get<std::int64_t>() : 0); !shm) return shm;
    }
    const auto links = links_of(creation.host_config);
    if (!links) return links.error();

    std::string address, gateway;
    if (mode == "host") {
        life.networks = {{.name = "host", .ipv4_address = {}, .ipv6_address = {}}};
    } else if (!mode.starts_with(kContainerMode)) {
        auto attachment = networks_.attach(id, creation.config, creation.host_config, creation.name);
        if (!attachment) return std::move(attachment).error();
        address = attachment->ipv4;
        gateway = attachment->gateway;
        life.ports = std::move(attachment->ports);
        life.networks = {{.name = attachment->mode, .ipv4_address = address, .ipv6_address = {}}};
        life.attached = true;
    }
    if (!mode.starts_with(kContainerMode)) {
        const auto files =
            write_etc_files(data_folder(id), creation.config, creation.host_config,
                            hostname_of(id, creation.config, creation.host_config), address, *links, gateway);
        if (!files) return files.error();
    }
    if (auto fresh = refresh_document(container, creation, *links); !fresh) return fresh;
    loggers_.make_way(id);
    const auto streams = set_up_logs(options_.logs, data_folder(id), run_folder(id), container, creation);
    if (!streams) return streams.error();
    auto root = images_.root_mounts(id);
    if (!root) return std::move(root).error();

    const auto tty = creation.config.find("Tty");
    const bool terminal = tty != creation.config.end() && tty->is_boolean() && tty->get<bool>();
    const auto pid = client_->create_task(
        {.container_id = id, .root = *std::move(root), .streams = *streams, .terminal = terminal}, left());
    if (!pid) return pid.error();
    made();
    life.started_at = std::chrono::system_clock::now();
    if (auto set = set_life(id, life); !set) return set;
    return client_->start(id, {}, left());
}

}  // namespace nodeagent::runtime::containerd
