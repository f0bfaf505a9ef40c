#include "runtime/containerd/network/links.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

struct ExposedPort {
    int number = 0;
    std::string protocol;
};

std::vector<ExposedPort> sorted_ports(const std::vector<std::string>& texts) {
    std::vector<ExposedPort> ports;
    for (const std::string& text : texts) {
        const auto slash = text.find('/');
        const auto number = parse_integer(std::string_view(text).substr(0, slash));
        if (!number || *number < 1 || *number > 65535) continue;
        ports.push_back({.number = static_cast<int>(*number),
                         .protocol = slash == std::string::npos ? "tcp" : lower(text.substr(slash + 1))});
    }
    std::sort(ports.begin(), ports.end(), [](const ExposedPort& a, const ExposedPort& b) {
        if (a.number != b.number) return a.number < b.number;
        return a.protocol == "tcp" && b.protocol != "tcp";
    });
    return ports;
}

std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

/// The last port of the run without gaps that begins at `first`; tcp and udp of one number do not end it.
std::size_t end_of_run(const std::vector<ExposedPort>& ports, std::size_t first) {
    int value = ports[first].number;
    for (std::size_t i = first + 1; i < ports.size(); ++i) {
        if (ports[i].number > value + 1) return i - 1;
        ++value;
    }
    return ports.size() - 1;
}

}  // namespace

std::string link_host_names(const LinkedContainer& link) {
    std::string names = link.alias + " " + link.hostname;
    if (link.alias != link.name) names += " " + link.name;
    return names;
}

std::vector<std::string> link_environment(const std::string& name, const std::vector<LinkedContainer>& links) {
    std::vector<std::string> variables;
    for (const LinkedContainer& link : links) {
        std::string prefix = upper(link.alias);
        std::replace(prefix.begin(), prefix.end(), '-', '_');
        const auto ports = sorted_ports(link.exposed_ports);
        const auto address = [&](const ExposedPort& port) {
            return port.protocol + "://" + link.ipv4 + ":" + std::to_string(port.number);
        };
        const auto of = [&](const ExposedPort& port, const std::string& protocol) {
            return prefix + "_PORT_" + std::to_string(port.number) + "_" + upper(protocol);
        };
        if (!ports.empty()) variables.push_back(prefix + "_PORT=" + address(ports.front()));
        for (std::size_t i = 0; i < ports.size(); ++i) {
            const std::size_t last = end_of_run(ports, i);
            if (last <= i + 1) continue;  // Docker calls two in a row no range
            const std::string start = of(ports[i], ports[i].protocol);
            variables.push_back(start + "_START=" + address(ports[i]));
            variables.push_back(start + "_ADDR=" + link.ipv4);
            variables.push_back(start + "_PROTO=" + ports[i].protocol);
            variables.push_back(start + "_PORT_START=" + std::to_string(ports[i].number));
            const std::string end = of(ports[i], ports[last].protocol);
            variables.push_back(end + "_END=" + address(ports[last]));
            variables.push_back(end + "_PORT_END=" + std::to_string(ports[last].number));
            i = last;
        }
        for (const ExposedPort& port : ports) {
            const std::string one = of(port, port.protocol);
            variables.push_back(one + "=" + address(port));
            variables.push_back(one + "_ADDR=" + link.ipv4);
            variables.push_back(one + "_PORT=" + std::to_string(port.number));
            variables.push_back(one + "_PROTO=" + port.protocol);
        }
        variables.push_back(prefix + "_NAME=/" + name + "/" + link.alias);
        for (const std::string& variable : link.env) {
            const auto equals = variable.find('=');
            if (equals == std::string::npos) continue;
            const std::string key = variable.substr(0, equals);
            if (key == "HOME" || key == "PATH") continue;
            variables.push_back(prefix + "_ENV_" + variable);
        }
    }
    return variables;
}

}  // namespace nodeagent::runtime::containerd
