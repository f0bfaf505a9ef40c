#include "runtime/containerd/network/packet_rules.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::string_view kPortChain = "ECS-DNAT";

struct SavedTable {
    std::vector<std::string_view> rules;   ///< "-A CHAIN ..."
    std::vector<std::string_view> chains;  ///< names
};

std::map<std::string_view, SavedTable> tables_of(std::string_view saved) {
    std::map<std::string_view, SavedTable> tables;
    SavedTable* table = nullptr;
    for (std::string_view line : split(saved, '\n')) {
        line = trimmed(line);
        if (line.starts_with('*')) table = &tables[line.substr(1)];
        if (table == nullptr) continue;
        if (line.starts_with("-A ")) table->rules.push_back(line);
        if (line.starts_with(':')) table->chains.push_back(line.substr(1, line.find(' ') - 1));
    }
    return tables;
}

std::vector<std::string_view> rules_of_chain(const SavedTable& table, std::string_view chain) {
    const std::string start = "-A " + std::string(chain) + " ";
    std::vector<std::string_view> rules;
    for (const std::string_view rule : table.rules) {
        if (rule.starts_with(start)) rules.push_back(rule);
    }
    return rules;
}

struct WantedChain {
    std::string_view name;
    std::vector<std::string> rules;  ///< all of it, in order
};

/// A rule in a chain of the kernel's that leads to one of ours.
struct Jump {
    std::string_view chain;
    std::string rest;
    bool first = false;  ///< before what others have there: a firewall's own last rule refuses all
};

std::string table_setup(const SavedTable& saved, std::string_view table, const std::vector<WantedChain>& chains,
                        const std::vector<Jump>& jumps) {
    std::string declared;
    std::string added;
    for (const WantedChain& chain : chains) {
        const auto there = rules_of_chain(saved, chain.name);
        if (!there.empty() && std::equal(there.begin(), there.end(), chain.rules.begin(), chain.rules.end())) continue;
        declared += ":" + std::string(chain.name) + " - [0:0]\n";  // makes it, or empties it
        for (const std::string& rule : chain.rules) added += rule + "\n";
    }
    for (const Jump& jump : jumps) {
        const std::string rule = " " + std::string(jump.chain) + " " + jump.rest;
        if (std::find(saved.rules.begin(), saved.rules.end(), "-A" + rule) != saved.rules.end()) continue;
        added += (jump.first ? "-I" : "-A") + rule + "\n";
    }
    if (declared.empty() && added.empty()) return {};
    return "*" + std::string(table) + "\n" + declared + added + "COMMIT\n";
}

}  // namespace

std::string port_rule(const std::string& id, const std::string& ipv4, const PortBinding& port) {
    std::string rule = "-A " + std::string(kPortChain);
    if (!port.host_ip.empty() && port.host_ip != "0.0.0.0") rule += " -d " + port.host_ip + "/32";
    rule += " -p " + port.protocol + " -m " + port.protocol + " --dport " + std::to_string(port.host_port);
    rule += " -m comment --comment " + id;
    return rule + " -j DNAT --to-destination " + ipv4 + ":" + std::to_string(port.container_port);
}

std::vector<PortRule> port_rules(std::string_view saved) {
    constexpr std::string_view kComment = " --comment ";
    std::vector<PortRule> found;
    auto tables = tables_of(saved);
    for (const std::string_view rule : rules_of_chain(tables["nat"], kPortChain)) {
        const auto comment = rule.find(kComment);
        if (comment == std::string_view::npos) continue;
        std::string_view id = rule.substr(comment + kComment.size());
        id = id.substr(0, id.find(' '));
        if (id.size() > 1 && id.front() == '"' && id.back() == '"') id = id.substr(1, id.size() - 2);
        found.push_back({.id = std::string(id), .rule = std::string(rule)});
    }
    return found;
}

std::string bridge_setup(std::string_view saved, const std::string& bridge, const Subnet& subnet) {
    auto tables = tables_of(saved);
    const std::string network = to_string(subnet);
    // 127.0.0.0/8 is open to the bridge for published ports on 127.0.0.1 (route_localnet); nothing else may use that.
    const std::vector<WantedChain> filter{
        {"ECS-FORWARD",
         {"-A ECS-FORWARD -j ECS-USER",
          "-A ECS-FORWARD -o " + bridge + " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
          "-A ECS-FORWARD -o " + bridge + " -m conntrack --ctstate DNAT -j ACCEPT",
          "-A ECS-FORWARD -i " + bridge + " -j ACCEPT"}},
        {"ECS-INPUT",
         {"-A ECS-INPUT -d 127.0.0.0/8 -i " + bridge + " -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"}}};
    const std::vector<WantedChain> nat{
        {"ECS-POSTROUTING",
         {"-A ECS-POSTROUTING -s " + network + " ! -o " + bridge + " -j MASQUERADE",
          "-A ECS-POSTROUTING -s 127.0.0.0/8 -o " + bridge + " -j MASQUERADE",
          "-A ECS-POSTROUTING -s " + network + " -o " + bridge + " -m conntrack --ctstate DNAT -j MASQUERADE"}}};
    std::string text = table_setup(tables["filter"], "filter", filter,
                                   {{"FORWARD", "-j ECS-FORWARD", true}, {"INPUT", "-j ECS-INPUT", true}});
    const SavedTable& there = tables["nat"];
    if (std::find(there.chains.begin(), there.chains.end(), kPortChain) == there.chains.end()) {
        text += "*nat\n:" + std::string(kPortChain) + " - [0:0]\nCOMMIT\n";
    }
    return text + table_setup(there, "nat", nat,
                              {{"PREROUTING", "-m addrtype --dst-type LOCAL -j ECS-DNAT"},
                               {"OUTPUT", "-m addrtype --dst-type LOCAL -j ECS-DNAT"},
                               {"POSTROUTING", "-j ECS-POSTROUTING"}});
}

std::string port_changes(const std::vector<std::string>& added, const std::vector<std::string>& removed) {
    if (added.empty() && removed.empty()) return {};
    std::string text = "*nat\n";
    for (const std::string& rule : removed) text += "-D" + rule.substr(2) + "\n";
    for (const std::string& rule : added) text += rule + "\n";
    return text + "COMMIT\n";
}

}  // namespace nodeagent::runtime::containerd
