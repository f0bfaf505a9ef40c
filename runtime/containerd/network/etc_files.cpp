#include "runtime/containerd/network/etc_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "agent/base/fd.hpp"
#include "agent/base/files.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/network/networks.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::string_view kUsualHosts =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "ff00::0\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n";
constexpr std::string_view kPublicServers = "\nnameserver 8.8.8.8\nnameserver 8.8.4.4";
constexpr std::string_view kPublicServers6 = "\nnameserver 2001:4860:4860::8888\nnameserver 2001:4860:4860::8844";
constexpr std::string_view kSpace = " \t\r\n\v\f";

std::vector<std::string> strings_of(const Json& document, const char* key) {
    std::vector<std::string> all;
    if (!document.is_object()) return all;
    const auto list = document.find(key);
    if (list == document.end() || !list->is_array()) return all;
    for (const Json& one : *list) {
        if (one.is_string()) all.push_back(one.get<std::string>());
    }
    return all;
}

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    while (true) {
        const auto start = line.find_first_not_of(kSpace);
        if (start == std::string_view::npos) return words;
        line.remove_prefix(start);
        const auto end = std::min(line.find_first_of(kSpace), line.size());
        words.emplace_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

bool is_loopback(std::string_view server) { return server.starts_with("127.") || server == "::1"; }
bool is_ipv6(std::string_view server) { return std::count(server.begin(), server.end(), ':') >= 2; }

struct Resolvers {
    std::vector<std::string> servers, search, options;
};

Resolvers resolvers_in(std::string_view content) {
    Resolvers found;
    for (std::string_view line : split(content, '\n')) {
        line = line.substr(0, line.find('#'));
        auto words = words_of(line);
        if (words.empty()) continue;
        const std::string key = words.front();
        words.erase(words.begin());
        if (key == "nameserver" && words.size() == 1) found.servers.push_back(words.front());
        if (key == "search") found.search = words;
        if (key == "options") found.options = words;
    }
    return found;
}

/// Removes lines of servers, with the empty lines after them.
template <class Unwanted>
std::string without_servers(std::string_view content, Unwanted unwanted) {
    std::string kept;
    while (!content.empty()) {
        const auto end = std::min(content.find('\n'), content.size() - 1) + 1;
        const std::string_view line = content.substr(0, end);
        const auto words = words_of(line);
        if (line.starts_with("nameserver") && words.size() >= 2 && words[0] == "nameserver" && unwanted(words[1])) {
            content.remove_prefix(end);
            content.remove_prefix(std::min(content.find_first_not_of(kSpace), content.size()));
            continue;
        }
        kept += line;
        content.remove_prefix(end);
    }
    return kept;
}

/// What stands in a bind mount is written in place: a container of before may have it still mounted.
Result<void> write_in_place(const std::string& path, std::string_view content) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) return from_errno("create " + path);
    if (::fchmod(file.get(), 0644) != 0) return from_errno("set the mode of " + path);
    while (!content.empty()) {
        const ssize_t n = ::write(file.get(), content.data(), content.size());
        if (n < 0) return from_errno("write " + path);
        content.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

/// A file of the host; one that is absent is empty.
Result<std::string> host_file(const std::string& path) {
    auto content = read_file(path);
    if (!content && content.error().kind == ErrorKind::NotFound) return std::string{};
    return content;
}

}  // namespace

Result<std::string> hosts_file(const HostsFile& file) {
    std::string text(kUsualHosts);
    for (const std::string& entry : file.extra) {
        const auto colon = entry.find(':');
        if (colon == std::string::npos || colon == 0) {
            return Error{.kind = ErrorKind::Malformed, .what = "bad format for add-host: \"" + entry + "\""};
        }
        std::string address = entry.substr(colon + 1);
        if (address == "host-gateway") {
            if (file.gateway.empty()) {
                return Error{.kind = ErrorKind::Malformed, .what = "unable to derive the IP value for host-gateway"};
            }
            address = file.gateway;
        }
        text += address + "\t" + entry.substr(0, colon) + "\n";
    }
    for (const LinkedContainer& link : file.links) text += link.ipv4 + "\t" + link_host_names(link) + "\n";
    if (!file.ipv4.empty()) {
        text += file.ipv4 + "\t";
        if (!file.domainname.empty()) text += file.hostname + "." + file.domainname + " ";
        text += file.hostname + "\n";
    }
    return text;
}

bool only_names_resolved(const std::string& resolv_conf) {
    const auto servers = resolvers_in(resolv_conf).servers;
    return servers.size() == 1 && servers.front() == "127.0.0.53";
}

std::string resolv_conf(const std::string& host, const ResolverWishes& wishes) {
    if (!wishes.empty()) {
        const Resolvers there = resolvers_in(host);
        const auto& search = wishes.search.empty() ? there.search : wishes.search;
        const auto& servers = wishes.servers.empty() ? there.servers : wishes.servers;
        const auto& options = wishes.options.empty() ? there.options : wishes.options;
        std::string text;
        if (const std::string names = join(search, " "); !names.empty() && trimmed(names) != ".") {
            text += "search " + names + "\n";
        }
        for (const std::string& server : servers) text += "nameserver " + server + "\n";
        if (const std::string words = join(options, " "); !trimmed(words).empty()) text += "options " + words + "\n";
        return text;
    }
    // Docker looks twice: without loopback ones first, then, as its bridge has no IPv6, without those of IPv6
    std::string text = without_servers(host, is_loopback);
    if (resolvers_in(text).servers.empty()) {
        text += kPublicServers;
        text += kPublicServers6;
    }
    text = without_servers(text, is_ipv6);
    if (resolvers_in(text).servers.empty()) text += kPublicServers;
    return text;
}

Result<EtcFiles> write_etc_files(const std::string& folder, const Json& config, const Json& host_config,
                                 const std::string& hostname, const std::string& ipv4,
                                 const std::vector<LinkedContainer>& links, const std::string& gateway) {
    if (auto made = make_directories(folder, 0755); !made) return made.error();
    const bool host = network_mode(host_config) == "host";
    HostsFile hosts{.extra = strings_of(host_config, "ExtraHosts"),
                    .ipv4 = ipv4,
                    .hostname = hostname,
                    .gateway = gateway,
                    .links = links};
    if (config.is_object()) {
        const auto domain = config.find("Domainname");
        if (domain != config.end() && domain->is_string()) hosts.domainname = domain->get<std::string>();
    }
    // Docker copies the host's file only where nothing is added to it
    auto hosts_text = host && hosts.extra.empty() ? host_file("/etc/hosts") : hosts_file(hosts);
    if (!hosts_text) return hosts_text.error();

    const ResolverWishes wishes{.servers = strings_of(host_config, "Dns"),
                                .search = strings_of(host_config, "DnsSearch"),
                                .options = strings_of(host_config, "DnsOptions")};
    auto resolvers = host_file("/etc/resolv.conf");
    if (!resolvers) return resolvers.error();
    if (!host && only_names_resolved(*resolvers)) {
        if (auto real = read_file("/run/systemd/resolve/resolv.conf")) resolvers = std::move(real);
    }
    const std::string resolv_text = host && wishes.empty() ? *resolvers : resolv_conf(*resolvers, wishes);
    if (!host && wishes.empty() && resolvers_in(*resolvers).servers.empty()) {
        log::debug("no name server in the host's resolv.conf: containers ask 8.8.8.8 and 8.8.4.4");
    }

    EtcFiles files{
        .hosts = folder + "/hosts", .hostname = folder + "/hostname", .resolv_conf = folder + "/resolv.conf"};
    if (auto written = write_in_place(files.hosts, *hosts_text); !written) return written.error();
    if (auto written = write_in_place(files.hostname, hostname + "\n"); !written) return written.error();
    if (auto written = write_in_place(files.resolv_conf, resolv_text); !written) return written.error();
    return files;
}

}  // namespace nodeagent::runtime::containerd
