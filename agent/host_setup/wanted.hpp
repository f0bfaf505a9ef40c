#pragma once
// What the host has to have so that containers reach the agent and nobody else does: the rules, sysctls and the route
// of the reference's ecs-init (host.md 1.1 to 1.5), in its arguments, so that either side takes up and removes what the
// other has made. Pure.
//
//   filter INPUT       1. what a bridge's containers ask of introspection   2. introspection from elsewhere
//                      3. the localhost filter: route_localnet opens 127.0.0.0/8 to neighbours on the wire
//   nat    PREROUTING, OUTPUT   169.254.170.2:80 -> the agent's endpoint for credentials
//   raw    PREROUTING -> ECS-IMDS   ours: no instance metadata for containers on a bridge

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent::host_setup {

enum class Family : std::uint8_t { Ipv4, Ipv6 };
/// "iptables", "ip6tables".
[[nodiscard]] std::string_view program_of(Family family);

struct Wishes {
    bool localhost_filter = true;        ///< not ECS_SKIP_LOCALHOST_TRAFFIC_FILTER
    bool offhost_introspection = false;  ///< ECS_ALLOW_OFFHOST_INTROSPECTION_ACCESS
    bool block_imds = false;             ///< ECS_BRIDGE_BLOCK_IMDS
    std::vector<std::string> bridges{};  ///< that containers in network mode bridge are on
    /// Bridges of an earlier set-up that containers are on no more: their rules go.
    std::vector<std::string> former_bridges{};
    std::string loopback = "lo";
    bool ipv6 = true;          ///< the kernel has it
    bool ipv4_default = true;  ///< the main table has a default route; without one 169.254.170.2 needs a route
    bool remove = false;       ///< nothing is wanted any more
};

struct Rule {
    std::string what;  ///< for people
    Family family = Family::Ipv4;
    std::string table, chain;
    std::string arguments;  ///< after the chain's name, the reference's to the byte
    bool first = false;     ///< -I, else -A
    bool wanted = true;     ///< false: every copy goes
    bool ordered = false;   ///< the ordered rules of a chain stand in the order of this list
};

/// A chain of ours: all its rules, and the rule that leads to it is among the others.
struct OwnChain {
    std::string what;
    Family family = Family::Ipv4;
    std::string table, name;
    std::vector<std::string> rules;  ///< arguments
    bool wanted = true;
};

struct Sysctl {
    std::string what;
    std::string key;            ///< path below /proc/sys: "net/ipv4/conf/all/route_localnet"
    std::string value;          ///< "" with a copied_from
    std::string copied_from{};  ///< its value becomes that of this key
    bool optional = false;      ///< no such key: nothing to do
};

struct Wanted {
    std::vector<Rule> rules;
    std::vector<OwnChain> chains;
    std::vector<Sysctl> sysctls;
    bool loopback_route = false;  ///< 169.254.170.2/32 over the loopback interface
    bool no_loopback_route = false;
};

[[nodiscard]] Wanted wanted(const Wishes& wishes);

/// IPv4 and IPv6 addresses of the instance metadata service.
inline constexpr std::string_view kImdsIpv4 = "169.254.169.254/32";
inline constexpr std::string_view kImdsIpv6 = "fd00:ec2::254/128";
inline constexpr std::string_view kImdsChain = "ECS-IMDS";
inline constexpr std::string_view kLocalhostFilter = "localhost filter";
inline constexpr std::string_view kRouteLocalnet = "net/ipv4/conf/all/route_localnet";

}  // namespace nodeagent::host_setup
