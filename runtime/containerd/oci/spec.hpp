#pragma once
// The OCI runtime document of a container, from the Docker documents ECS sends and the image's configuration, so that a
// process inside finds what Docker 20.10 would have given it. containerd.md 5; moby v20.10.24 daemon/oci_linux.go.
// Pure but for SpecInputs::devices, which looks at the host.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"
#include "runtime/containerd/image_config.hpp"
#include "runtime/containerd/oci/cgroup_support.hpp"
#include "runtime/containerd/oci/devices.hpp"
#include "runtime/containerd/oci/user.hpp"

namespace nodeagent::runtime::containerd::oci {

/// An OCI mount. A bind's source is an absolute path of the host; options are in OCI's words ("rbind", "ro",
/// "rprivate").
struct MountPlan {
    std::string type = "bind";
    std::string source{}, destination{};
    std::vector<std::string> options{};
    friend bool operator==(const MountPlan&, const MountPlan&) = default;
};

/// A limit every container gets that sets none of that name itself: Docker's --default-ulimit.
struct Ulimit {
    std::string name;                 ///< "nofile"
    std::int64_t soft = 0, hard = 0;  ///< -1: none
};

struct SpecInputs {
    const Json& config;       ///< Docker Config document
    const Json& host_config;  ///< Docker HostConfig document
    const ImageConfig& image;
    std::string container_id{};            ///< 64 hex digits
    std::string hostname{}, domainname{};  ///< Config.Hostname or the id's first 12 digits; host network: the host's
    User user{};
    std::vector<MountPlan>
        mounts{};                 ///< binds, volumes, tmpfs, then /etc files: of several at one path the first counts
    std::string netns_path{};     ///< "": the host's network
    std::string pid_namespace{};  ///< "": its own; "host"; or a path ("/proc/1/ns/pid")
    std::string ipc_namespace{};  ///< likewise
    std::string shm_source{};     ///< host folder to bind at /dev/shm; "": a tmpfs of ShmSize, or the host's with it
    bool cgroup_v2 = false, systemd_cgroup = false;
    std::string init_program{};  ///< for Init: path of a static init on the host; "": there is none
    int last_capability = 40;    ///< of the kernel, /proc/sys/kernel/cap_last_cap
    int kernel_major = 5, kernel_minor = 10;
    bool apparmor = false;  ///< the host has it, and the profile docker-default is loaded
    std::vector<Ulimit> default_ulimits{};
    std::vector<std::string> link_environment{};  ///< of legacy links; before the container's own
    CgroupSupport cgroups{};                      ///< what the kernel can limit; cgroup_support() asks it
    /// Capabilities that a container can be given here, by bit: what the runtime's own bounding set holds. "All" means
    /// these.
    std::uint64_t available_capabilities = ~std::uint64_t{0};
    const DeviceSource& devices = host_devices();
};

/// The document, or Malformed with Docker's text ("No command specified") where Docker has one; settings that would
/// make a difference to a process and that are not supported here are Malformed and name the field. `warnings` gets
/// what is left out because the kernel cannot do it (Docker warns and goes on), in Docker's words.
/// Left to the caller: networks and ports, names in /etc, LogConfig, Runtime, Healthcheck, stop signal and timeout,
/// standard input, Labels, and the working directory, which must exist in the root.
/// SELinux options (label=, z, Z) have no effect, as with a dockerd that runs without --selinux-enabled.
[[nodiscard]] Result<Json> runtime_spec(const SpecInputs& inputs, std::vector<std::string>* warnings = nullptr);

/// Where the process starts: Config.WorkingDir, else the image's, else "/"; absolute and without "..". To be made in
/// the root when it is absent.
[[nodiscard]] std::string working_directory(const Json& config, const ImageConfig& image);

}  // namespace nodeagent::runtime::containerd::oci
