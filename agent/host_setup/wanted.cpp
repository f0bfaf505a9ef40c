#include "agent/host_setup/wanted.hpp"

namespace nodeagent::host_setup {

namespace {

void add_introspection(const Wishes& wishes, Family family, Wanted& all) {
    const bool wanted = !wishes.remove && !wishes.offhost_introspection;
    const auto bridge_rule = [&](const std::string& bridge, bool still) {
        all.rules.push_back({.what = "introspection for containers on " + bridge,
                             .family = family,
                             .table = "filter",
                             .chain = "INPUT",
                             .arguments = "-p tcp --dport 51678 -i " + bridge + " -j ACCEPT",
                             .first = true,
                             .wanted = wanted && still,
                             .ordered = true});
    };
    for (const std::string& bridge : wishes.bridges) bridge_rule(bridge, true);
    for (const std::string& bridge : wishes.former_bridges) bridge_rule(bridge, false);
    all.rules.push_back({.what = "no introspection from elsewhere",
                         .family = family,
                         .table = "filter",
                         .chain = "INPUT",
                         .arguments = "-p tcp --dport 51678 ! -i " + wishes.loopback + " -j DROP",
                         .first = true,
                         .wanted = wanted,
                         .ordered = true});
}

void add_credentials(const Wishes& wishes, Wanted& all) {
    all.rules.push_back({.what = "credentials for containers",
                         .family = Family::Ipv4,
                         .table = "nat",
                         .chain = "PREROUTING",
                         .arguments = "-p tcp -d 169.254.170.2 --dport 80 -j DNAT --to-destination 127.0.0.1:51679",
                         .wanted = !wishes.remove});
    all.rules.push_back({.what = "credentials in network mode host",
                         .family = Family::Ipv4,
                         .table = "nat",
                         .chain = "OUTPUT",
                         .arguments = "-p tcp -d 169.254.170.2 --dport 80 -j REDIRECT --to-ports 51679",
                         .wanted = !wishes.remove});
}

/// In table raw, which comes before every other: Docker puts its own rules of FORWARD first whenever it starts.
void add_imds(const Wishes& wishes, Family family, Wanted& all) {
    const bool wanted = !wishes.remove && wishes.block_imds && !wishes.bridges.empty();
    const std::string chain(kImdsChain);
    OwnChain own{.what = "no instance metadata for containers",
                 .family = family,
                 .table = "raw",
                 .name = chain,
                 .rules = {},
                 .wanted = wanted};
    const std::string address(family == Family::Ipv4 ? kImdsIpv4 : kImdsIpv6);
    for (const std::string& bridge : wishes.bridges)
        own.rules.push_back("-d " + address + " -i " + bridge + " -j DROP");
    all.chains.push_back(std::move(own));
    all.rules.push_back({.what = "the way to chain " + chain,
                         .family = family,
                         .table = "raw",
                         .chain = "PREROUTING",
                         .arguments = "-j " + chain,
                         .first = true,
                         .wanted = wanted});
}

void add_sysctls(const Wishes& wishes, Wanted& all) {
    Sysctl localnet{
        .what = "answers to 127.0.0.0/8 over other interfaces", .key = std::string(kRouteLocalnet), .value = "1"};
    if (wishes.remove) {
        localnet.value.clear();
        localnet.copied_from = "net/ipv4/conf/default/route_localnet";
    }
    all.sysctls.push_back(std::move(localnet));
    if (wishes.remove) return;  // the reference leaves the other
    for (const std::string& bridge : wishes.bridges) {
        all.sysctls.push_back({.what = "no routes from containers on " + bridge,
                               .key = "net/ipv6/conf/" + bridge + "/accept_ra",
                               .value = "0",
                               .optional = true});
    }
}

}  // namespace

std::string_view program_of(Family family) { return family == Family::Ipv4 ? "iptables" : "ip6tables"; }

Wanted wanted(const Wishes& wishes) {
    Wanted all;
    add_introspection(wishes, Family::Ipv4, all);
    all.rules.push_back(
        {.what = std::string(kLocalhostFilter),
         .family = Family::Ipv4,
         .table = "filter",
         .chain = "INPUT",
         .arguments = "--dst 127.0.0.0/8 ! --src 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
         .first = true,
         .wanted = !wishes.remove && wishes.localhost_filter,
         .ordered = true});
    if (wishes.ipv6) add_introspection(wishes, Family::Ipv6, all);
    add_imds(wishes, Family::Ipv4, all);
    if (wishes.ipv6) add_imds(wishes, Family::Ipv6, all);
    add_credentials(wishes, all);
    add_sysctls(wishes, all);
    all.loopback_route = !wishes.remove && !wishes.ipv4_default;
    all.no_loopback_route = wishes.remove;
    return all;
}

}  // namespace nodeagent::host_setup
