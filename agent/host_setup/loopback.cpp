#include "agent/host_setup/loopback.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <vector>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::host_setup {

namespace {

constexpr const char* kCredentialsAddress = "169.254.170.2";

struct RouteRequest {
    nlmsghdr header{};
    rtmsg route{};
    struct {
        rtattr header{};
        std::uint32_t value = 0;
    } destination{}, interface {
    };
};

/// https://man7.org/linux/man-pages/man7/rtnetlink.7.html
Result<void> change_route(std::uint16_t type, std::uint16_t flags, const std::string& loopback, int accepted) {
    const unsigned index = ::if_nametoindex(loopback.c_str());
    if (index == 0) return from_errno("find interface " + loopback);
    RouteRequest request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = type;
    request.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    request.route.rtm_family = AF_INET;
    request.route.rtm_dst_len = 32;
    request.route.rtm_table = RT_TABLE_MAIN;
    request.route.rtm_protocol = RTPROT_BOOT;
    request.route.rtm_scope = RT_SCOPE_LINK;
    request.route.rtm_type = RTN_UNICAST;
    request.destination.header = {.rta_len = sizeof request.destination, .rta_type = RTA_DST};
    ::inet_pton(AF_INET, kCredentialsAddress, &request.destination.value);
    request.interface.header = {.rta_len = sizeof request.interface, .rta_type = RTA_OIF};
    request.interface.value = index;

    const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!socket) return from_errno("open a netlink socket");
    if (::send(socket.get(), &request, sizeof request, 0) < 0) return from_errno("ask the kernel for a route");
    std::array<char, 4096> answer{};
    const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), 0);
    if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr)))) return from_errno("hear of the route");
    nlmsgerr outcome{};
    std::memcpy(&outcome, answer.data() + NLMSG_HDRLEN, sizeof outcome);
    if (outcome.error == 0 || -outcome.error == accepted) return {};
    return from_error_code("route 169.254.170.2/32 dev " + loopback,
                           std::error_code(-outcome.error, std::generic_category()));
}

/// As /proc/net/route spells 169.254.170.2.
std::string credentials_in_table() {
    std::uint32_t address = 0;
    ::inet_pton(AF_INET, kCredentialsAddress, &address);
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%08X", address);
    return text.data();
}

}  // namespace

std::string loopback_name() {
    std::string name = "lo";
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return name;
    for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
        if ((one->ifa_flags & IFF_LOOPBACK) == 0) continue;
        name = one->ifa_name;
        break;
    }
    ::freeifaddrs(all);
    return name;
}

Ipv4Routes read_routes(std::string_view table, std::string_view loopback) {
    constexpr unsigned long kUp = 0x0001;
    constexpr unsigned long kReject = 0x0200;
    Ipv4Routes routes;
    for (const std::string_view line : split(table, '\n')) {
        // Iface Destination Gateway Flags RefCnt Use Metric Mask
        std::istringstream in{std::string(line)};
        std::vector<std::string> columns;
        for (std::string word; in >> word;) columns.push_back(word);
        if (columns.size() < 8) continue;
        const unsigned long flags = std::strtoul(columns[3].c_str(), nullptr, 16);
        if ((flags & kUp) == 0 || (flags & kReject) != 0) continue;
        if (columns[1] == "00000000" && columns[7] == "00000000") routes.has_default = true;
        if (columns[0] == loopback && columns[1] == credentials_in_table() && columns[7] == "FFFFFFFF")
            routes.to_credentials = true;
    }
    return routes;
}

Ipv4Routes ipv4_routes(std::string_view loopback) {
    const auto table = read_file("/proc/thread-self/net/route");
    if (!table) return {.has_default = true, .to_credentials = false};
    return read_routes(*table, loopback);
}

Result<void> add_credentials_route(const std::string& loopback) {
    return change_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, loopback, EEXIST);
}

Result<void> remove_credentials_route(const std::string& loopback) {
    return change_route(RTM_DELROUTE, 0, loopback, ESRCH);
}

}  // namespace nodeagent::host_setup
