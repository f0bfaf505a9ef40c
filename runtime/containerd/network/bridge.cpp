#include "runtime/containerd/network/bridge.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/log.hpp"
#include "agent/base/random.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/network/packet_rules.hpp"
#include "runtime/containerd/network/program.hpp"

namespace nodeagent::runtime::containerd {

namespace {

Result<void> set_kernel_value(const std::string& path, const std::string& value) {
    if (auto now = read_file(path); now && trimmed(*now) == value) return {};
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) return from_errno("open " + path);
    if (::write(file.get(), value.data(), value.size()) < 0) return from_errno("write " + value + " to " + path);
    return {};
}

ifreq request_for(const std::string& name) {
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
    return request;
}

/// An address of its own stays; else a bridge takes that of a member, and changes it as members come and go, while
/// containers remember where their gateway was.
Result<void> give_address(int socket, const std::string& name) {
    ifreq request = request_for(name);
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    const std::uint64_t random = thread_random()();
    request.ifr_hwaddr.sa_data[0] = 0x02;  // locally administered; Docker's begin so
    request.ifr_hwaddr.sa_data[1] = 0x42;
    std::memcpy(request.ifr_hwaddr.sa_data + 2, &random, 4);
    if (::ioctl(socket, SIOCSIFHWADDR, &request) != 0) return from_errno("set the address of bridge " + name);
    return {};
}

/// The packet filter forgets what it knew of a UDP port: its packets would go where they went before. Without the
/// program that happens when they pause for half a minute.
void forget_flows(const std::vector<PortBinding>& ports) {
    const bool any =
        std::any_of(ports.begin(), ports.end(), [](const PortBinding& one) { return one.protocol == "udp"; });
    const std::string program = any ? find_program("conntrack") : std::string{};
    if (program.empty()) return;
    for (const PortBinding& port : ports) {
        if (port.protocol != "udp") continue;
        (void)run_program({.path = program,
                           .arguments = {"-D", "-p", "udp", "--orig-port-dst", std::to_string(port.host_port)},
                           .environment = {},
                           .timeout = std::chrono::seconds(5)});
    }
}

}  // namespace

Bridge::Bridge(std::string name, std::string subnet, std::string folder)
    : name_(std::move(name)), setting_(std::move(subnet)), folder_(std::move(folder)) {}

Result<Subnet> Bridge::ensure() {
    const std::lock_guard one(mutex_);
    if (ready_ && ::if_nametoindex(name_.c_str()) != 0) return *ready_;
    ready_.reset();
    const auto chosen = subnet();
    if (!chosen) return chosen;
    if (auto made = make(*chosen); !made) return with_context("prepare bridge " + name_, made.error());
    ready_ = *chosen;
    return chosen;
}

/// The saved choice holds as long as containers may have addresses of it: as long as the bridge is there.
Result<Subnet> Bridge::subnet() {
    const std::string file = folder_ + "/subnet";
    const bool bridge_there = ::if_nametoindex(name_.c_str()) != 0;
    std::optional<Subnet> saved;
    if (auto content = read_file(file, 64)) saved = parse_subnet(trimmed(*content));
    std::optional<Subnet> wanted;
    if (!setting_.empty()) {
        wanted = parse_subnet(setting_);
        if (!wanted || wanted->prefix < 8 || wanted->prefix > 29) {
            return Error{.kind = ErrorKind::Malformed,
                         .what = "ECS_CONTAINERD_SUBNET " + setting_ +
                                 ": a network such as 172.18.0.0/16 is expected, of prefix 8 to 29"};
        }
    }
    if (saved && wanted && *saved != *wanted && bridge_there) {
        log::warn("the subnet of containers stays until their bridge is removed",
                  {{"subnet", to_string(*saved)},
                   {"wanted", to_string(*wanted)},
                   {"remedy", "stop all tasks, then: ip link delete " + name_}});
        return *saved;
    }
    if (saved && !wanted && bridge_there) return *saved;
    if (!wanted) {
        auto free = free_subnet(saved);
        if (!free) return free;
        wanted = *free;
    }
    if (saved == wanted) return *wanted;
    if (auto made = make_directories(folder_, 0700); !made) return made.error();
    if (auto written = replace_file(file, to_string(*wanted) + "\n"); !written) return written.error();
    return *wanted;
}

/// Without a bridge nobody has an address: networks that came meanwhile go first.
Result<Subnet> Bridge::free_subnet(const std::optional<Subnet>& preferred) {
    const auto table = read_file("/proc/thread-self/net/route");
    if (!table) return with_context("read the routes of this host", table.error());
    const std::vector<Subnet> taken = parse_routes(*table, name_);
    const auto clashes = [&](const Subnet& one) { return overlap(one, *preferred); };
    if (preferred && std::none_of(taken.begin(), taken.end(), clashes)) return *preferred;
    return choose_subnet(taken);
}

Result<void> Bridge::make(const Subnet& subnet) {
    if (name_.empty() || name_.size() >= IFNAMSIZ || name_.find_first_of("/ \t\n+:") != std::string::npos) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "ECS_CONTAINERD_BRIDGE " + name_ + ": an interface name of 1 to 15 bytes is expected"};
    }
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return from_errno("open a socket");
    if (::if_nametoindex(name_.c_str()) == 0) {
        if (::ioctl(socket.get(), SIOCBRADDBR, name_.c_str()) != 0 && errno != EEXIST) return from_errno("create it");
        if (auto given = give_address(socket.get(), name_); !given) return given;
    }
    ifreq request = request_for(name_);
    if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return from_errno("read its state");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return from_errno("bring it up");

    const std::string ipv4 = "/proc/sys/net/ipv4/";
    if (auto set = set_kernel_value(ipv4 + "ip_forward", "1"); !set) return set;
    if (auto set = set_kernel_value(ipv4 + "conf/" + name_ + "/route_localnet", "1"); !set) return set;
    (void)set_kernel_value("/proc/sys/net/ipv6/conf/" + name_ + "/accept_ra", "0");  // a kernel without IPv6 has none

    auto saved = filter_.saved();
    if (!saved) return saved.error();
    const std::string commands = bridge_setup(*saved, name_, subnet);
    if (commands.empty()) return {};
    if (auto user = filter_.make_chain("ECS-USER"); !user) return user;
    return filter_.change(commands);
}

Result<void> Bridge::publish(const std::string& id, const std::string& ipv4, const std::vector<PortBinding>& ports) {
    std::vector<std::string> rules;
    for (const PortBinding& port : ports) rules.push_back(port_rule(id, ipv4, port));
    auto done = filter_.change(port_changes(rules, {}));
    if (!done) {  // the chain itself may be gone: somebody flushed the tables
        {
            const std::lock_guard one(mutex_);
            ready_.reset();
        }
        if (auto again = ensure(); !again) return again.error();
        done = filter_.change(port_changes(rules, {}));
    }
    if (done) forget_flows(ports);
    return done;
}

Result<void> Bridge::unpublish(const std::string& id, const std::string& ipv4, const std::vector<PortBinding>& ports) {
    if (ports.empty()) return {};
    std::vector<std::string> rules;
    for (const PortBinding& port : ports) rules.push_back(port_rule(id, ipv4, port));
    if (!ipv4.empty() && filter_.change(port_changes({}, rules))) {
        forget_flows(ports);
        return {};
    }
    auto saved = filter_.saved();
    if (!saved) return saved.error();
    rules.clear();
    for (PortRule& one : port_rules(*saved)) {
        if (one.id == id) rules.push_back(std::move(one.rule));
    }
    auto done = filter_.change(port_changes({}, rules));
    if (done) forget_flows(ports);
    return done;
}

Result<void> Bridge::restore(const std::vector<Published>& wanted,
                             const std::function<bool(const std::string& id)>& untouched) {
    auto saved = filter_.saved();
    if (!saved) return saved.error();
    const auto there = port_rules(*saved);
    std::set<std::string> wanted_rules;
    for (const Published& one : wanted) {
        for (const PortBinding& port : one.ports) wanted_rules.insert(port_rule(one.id, one.ipv4, port));
    }
    std::vector<std::string> removed;
    std::set<std::string> added = wanted_rules;
    for (const PortRule& one : there) {
        if (untouched(one.id)) continue;
        // a second copy of a wanted one goes, too
        if (added.erase(one.rule) == 0) removed.push_back(one.rule);
    }
    return filter_.change(port_changes({added.begin(), added.end()}, removed));
}

}  // namespace nodeagent::runtime::containerd
