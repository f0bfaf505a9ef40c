#pragma once
// What OCI documents need to know of this machine. Read once.

#include <cstdint>
#include <string>

namespace nodeagent::runtime::containerd {

struct HostFacts {
    int last_capability = 40;  ///< the kernel's highest capability number
    int kernel_major = 5;
    int kernel_minor = 10;
};

[[nodiscard]] const HostFacts& host_facts();
/// What the daemon at that socket may hand on, by bit; everything when it cannot be told.
[[nodiscard]] std::uint64_t capabilities_of_daemon(const std::string& socket);
/// A static init for containers that want one (initProcessEnabled): Docker's or tini's; "" none is installed.
[[nodiscard]] std::string container_init_program();
/// Of now: it can change.
[[nodiscard]] std::string host_name();

}  // namespace nodeagent::runtime::containerd
