#pragma once
// What the backend for containerd is told about this host and its settings.

#include <string>
#include <vector>

#include "runtime/containerd/images/image_store.hpp"
#include "runtime/containerd/log_setup.hpp"
#include "runtime/containerd/network/networks.hpp"
#include "runtime/containerd/oci/spec.hpp"

namespace nodeagent::runtime::containerd {

struct Options {
    std::string socket = "/run/containerd/containerd.sock";
    std::string init_program;  ///< for initProcessEnabled: a static init on this host; "" there is none
    std::string data_dir;      ///< for files of containers, volumes, logs; made when it is needed
    std::string run_dir = "/run/ecs-node-agent/containerd";  ///< likewise, on tmpfs
    std::string cgroup_root = "/sys/fs/cgroup";
    bool cgroup_v2 = false;
    bool systemd_cgroup = false;               ///< containers' cgroups are made by systemd
    bool apparmor = false;                     ///< as ensure_container_profile() says
    std::vector<oci::Ulimit> default_ulimits;  ///< of containers that set none of that name
    ImageStoreOptions images;
    NetworkOptions network;
    LogOptions logs;
};

}  // namespace nodeagent::runtime::containerd
