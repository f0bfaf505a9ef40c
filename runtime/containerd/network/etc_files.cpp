#include "runtime/containerd/network/etc_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::string_view kHostsHead =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "ff00::0\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n";

std::string text(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> words(const Json& object, const char* name) {
    std::vector<std::string> list;
    const auto found = object.find(name);
    if (found == object.end() || !found->is_array()) return list;
    for (const Json& word : *found) {
        if (word.is_string()) list.push_back(word.get<std::string>());
    }
    return list;
}

std::vector<std::string_view> fields(std::string_view line) {
    std::vector<std::string_view> found;
    while (true) {
        const std::size_t begin = line.find_first_not_of(" \t\r");
        if (begin == std::string_view::npos) return found;
        const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
        found.push_back(line.substr(begin, end - begin));
        line.remove_prefix(end);
    }
}

bool on_loopback(std::string_view server) {
    return server.starts_with("127.") || server == "::1" || server == "localhost";
}

/// "" for a file that cannot be read.
std::string content_of(const char* path) {
    auto content = read_file(path);
    return content ? *std::move(content) : std::string();
}

/// systemd-resolved's own list stands elsewhere when the host's file names only its stub.
std::string host_resolv_conf() {
    std::string own = content_of("/etc/resolv.conf");
    std::size_t others = 0;
    bool stub = false;
    for (const std::string_view line : split(own, '\n')) {
        const auto parts = fields(line);
        if (parts.size() < 2 || parts[0] != "nameserver") continue;
        if (parts[1] == "127.0.0.53") {
            stub = true;
        } else {
            ++others;
        }
    }
    if (!stub || others > 0) return own;
    std::string resolved = content_of("/run/systemd/resolve/resolv.conf");
    return resolved.empty() ? own : resolved;
}

/// Keeps the file: what is bind-mounted is not the name but what it named.
Result<void> rewrite(const std::string& path, std::string_view content) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file) return from_errno("open " + path);
    while (!content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written < 0) return from_errno("write " + path);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

struct Port {
    int number = 0;
    std::string protocol;
    friend bool operator==(const Port&, const Port&) = default;
};

std::vector<Port> ports_of(const LinkedContainer& linked) {
    std::vector<Port> ports;
    for (const std::string& word : linked.exposed_ports) {
        const std::size_t slash = word.find('/');
        const auto number = parse_integer(std::string_view(word).substr(0, slash));
        if (!number || *number < 1 || *number > 65535) continue;
        ports.push_back({static_cast<int>(*number), slash == std::string::npos ? "tcp" : word.substr(slash + 1)});
    }
    std::sort(ports.begin(), ports.end(), [](const Port& a, const Port& b) {
        if (a.protocol == b.protocol) return a.number < b.number;
        if (a.protocol == "tcp" || b.protocol == "tcp") return a.protocol == "tcp";
        return a.protocol < b.protocol;
    });
    return ports;
}

std::string upper(std::string word) {
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return word;
}

std::string url(const Port& port, const std::string& address) {
    return port.protocol + "://" + address + ":" + std::to_string(port.number);
}

void add_port_variables(std::vector<std::string>& out, const std::string& alias, const LinkedContainer& linked) {
    const auto prefix = [&alias](const Port& port) {
        return alias + "_PORT_" + std::to_string(port.number) + "_" + upper(port.protocol);
    };
    const std::vector<Port> ports = ports_of(linked);
    for (std::size_t i = 0; i < ports.size();) {
        std::size_t last = i;  // of ports that follow one another
        for (;; ++last) {
            const Port& port = ports[last];
            if (last == 0) out.push_back(alias + "_PORT=" + url(port, linked.ipv4));
            out.push_back(prefix(port) + "=" + url(port, linked.ipv4));
            out.push_back(prefix(port) + "_ADDR=" + linked.ipv4);
            out.push_back(prefix(port) + "_PORT=" + std::to_string(port.number));
            out.push_back(prefix(port) + "_PROTO=" + port.protocol);
            const bool next = last + 1 < ports.size() && ports[last + 1].protocol == port.protocol &&
                              ports[last + 1].number == port.number + 1;
            if (!next) break;
        }
        if (last > i) {
            out.push_back(prefix(ports[i]) + "_START=" + url(ports[i], linked.ipv4));
            out.push_back(prefix(ports[i]) + "_PORT_START=" + std::to_string(ports[i].number));
            out.push_back(prefix(ports[i]) + "_END=" + url(ports[last], linked.ipv4));
            out.push_back(prefix(ports[i]) + "_PORT_END=" + std::to_string(ports[last].number));
        }
        i = last + 1;
    }
}

}  // namespace

std::string hosts_file(std::string_view host, const std::vector<std::string>& extra, const std::string& hostname,
                       const std::string& domainname, const std::string& ipv4,
                       const std::vector<LinkedContainer>& links) {
    std::string file(host.empty() ? kHostsHead : host);
    if (!file.ends_with('\n')) file += '\n';
    for (const std::string& entry : extra) {  // "name:address"
        const std::size_t colon = entry.find(':');
        if (colon == std::string::npos) continue;
        file += entry.substr(colon + 1) + "\t" + entry.substr(0, colon) + "\n";
    }
    for (const LinkedContainer& linked : links) {
        if (linked.ipv4.empty()) continue;
        file += linked.ipv4 + "\t" + linked.alias + " " + linked.hostname;
        if (linked.name != linked.alias) file += " " + linked.name;
        file += "\n";
    }
    if (!ipv4.empty()) {
        file += ipv4 + "\t";
        if (!domainname.empty()) file += hostname + "." + domainname + " ";
        file += hostname + "\n";
    }
    return file;
}

std::string resolv_conf(std::string_view host, const DnsSettings& settings) {
    std::vector<std::string> servers = settings.servers;
    std::vector<std::string> search = settings.search;
    std::vector<std::string> options = settings.options;
    const bool own_servers = servers.empty();
    const bool own_search = search.empty();
    const bool own_options = options.empty();
    if (settings.host_network && own_servers && own_search && own_options) return std::string(host);
    for (const std::string_view line : split(host, '\n')) {
        const auto parts = fields(line);
        if (parts.size() < 2) continue;
        if (own_servers && parts[0] == "nameserver" && (settings.host_network || !on_loopback(parts[1]))) {
            servers.emplace_back(parts[1]);
        }
        if (own_search && (parts[0] == "search" || parts[0] == "domain")) {
            search.assign(parts.begin() + 1, parts.end());
        }
        if (own_options && parts[0] == "options") options.insert(options.end(), parts.begin() + 1, parts.end());
    }
    if (search.size() == 1 && search.front() == ".") search.clear();  // the task definition's word for none
    if (servers.empty()) servers = {"8.8.8.8", "8.8.4.4"};
    std::string file;
    if (!search.empty()) file += "search " + join(search, " ") + "\n";
    for (const std::string& server : servers) file += "nameserver " + server + "\n";
    if (!options.empty()) file += "options " + join(options, " ") + "\n";
    return file;
}

std::vector<std::string> link_environment(const std::string& container_name,
                                          const std::vector<LinkedContainer>& links) {
    std::vector<std::string> environment;
    for (const LinkedContainer& linked : links) {
        std::string alias = upper(linked.alias);
        std::replace(alias.begin(), alias.end(), '-', '_');
        add_port_variables(environment, alias, linked);
        environment.push_back(alias + "_NAME=/" + container_name + "/" + linked.alias);
        for (const std::string& variable : linked.env) {
            const std::size_t equals = variable.find('=');
            if (equals == std::string::npos) continue;
            const std::string_view name = std::string_view(variable).substr(0, equals);
            if (name != "HOME" && name != "PATH") environment.push_back(alias + "_ENV_" + variable);
        }
    }
    return environment;
}

Result<void> write_etc_files(const std::string& folder, const nlohmann::json& config, const nlohmann::json& host_config,
                             const std::string& hostname, const std::string& ipv4,
                             const std::vector<LinkedContainer>& links) {
    const bool host_network = text(host_config, "NetworkMode") == "host";
    const std::string host_hosts = host_network ? content_of("/etc/hosts") : std::string();
    const std::string hosts =
        hosts_file(host_hosts, words(host_config, "ExtraHosts"), hostname, text(config, "Domainname"), ipv4, links);
    const DnsSettings dns{.servers = words(host_config, "Dns"),
                          .search = words(host_config, "DnsSearch"),
                          .options = words(host_config, "DnsOptions"),
                          .host_network = host_network};
    if (auto done = rewrite(folder + "/hosts", hosts); !done) return done;
    if (auto done = rewrite(folder + "/hostname", hostname + "\n"); !done) return done;
    return rewrite(folder + "/resolv.conf", resolv_conf(host_resolv_conf(), dns));
}

}  // namespace nodeagent::runtime::containerd
