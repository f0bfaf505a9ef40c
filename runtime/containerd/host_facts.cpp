#include "runtime/containerd/host_facts.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

HostFacts read_host_facts() {
    HostFacts facts;
    if (const auto last = read_file("/proc/sys/kernel/cap_last_cap")) {
        facts.last_capability = static_cast<int>(parse_integer(trimmed(*last)).value_or(facts.last_capability));
    }
    struct utsname kernel {};
    if (::uname(&kernel) == 0) (void)std::sscanf(kernel.release, "%d.%d", &facts.kernel_major, &facts.kernel_minor);
    return facts;
}

}  // namespace

const HostFacts& host_facts() {
    static const HostFacts facts = read_host_facts();
    return facts;
}

std::string host_name() {
    char name[256] = {};
    (void)::gethostname(name, sizeof name - 1);
    return name;
}

}  // namespace nodeagent::runtime::containerd
