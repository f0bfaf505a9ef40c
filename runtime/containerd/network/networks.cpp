#include "runtime/containerd/network/networks.hpp"

#include <filesystem>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/network/bridge_rules.hpp"
#include "runtime/containerd/network/netns.hpp"
#include "runtime/containerd/network/plugin.hpp"
#include "runtime/containerd/network/subnet.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr const char* kCniVersion = "1.0.0";
constexpr const char* kNetwork = "ecs";
constexpr const char* kPrefix = "ecs-";

std::string mode_of(const nlohmann::json& host_config) {
    const std::string mode = host_config.value("NetworkMode", "");
    return mode.empty() || mode == "default" ? "bridge" : mode;
}

/// The address without its prefix length.
std::string plain(const std::string& address) { return address.substr(0, address.find('/')); }

Attachment attachment_of(const nlohmann::json& result, std::vector<PortBinding> ports) {
    Attachment attachment{.mode = "bridge", .ipv4 = {}, .gateway = {}, .mac = {}, .ports = std::move(ports)};
    if (const auto ips = result.find("ips"); ips != result.end() && ips->is_array() && !ips->empty()) {
        attachment.ipv4 = plain(ips->front().value("address", ""));
        attachment.gateway = ips->front().value("gateway", "");
    }
    if (const auto interfaces = result.find("interfaces"); interfaces != result.end() && interfaces->is_array()) {
        for (const auto& one : *interfaces) {
            if (one.value("name", "") == "eth0") attachment.mac = one.value("mac", "");
        }
    }
    return attachment;
}

}  // namespace

std::string Networks::netns_path(const std::string& id) const { return options_.netns_folder + "/" + kPrefix + id; }

std::string Networks::file_of(const std::string& id) const { return options_.folder + "/attached/" + id; }

// ---- what is kept

std::optional<Networks::Kept> Networks::kept_of(const std::string& id) const {
    const auto text = read_file(file_of(id));
    if (!text) return std::nullopt;
    Kept kept;
    const auto document = parse_json(*text);
    if (!document || !document->is_object()) return kept;  // half of a disconnection is better than none
    kept.name = document->value("name", "");
    kept.mode = document->value("mode", "bridge");
    if (const auto result = document->find("result"); result != document->end()) kept.result = *result;
    if (const auto ports = document->find("ports"); ports != document->end() && ports->is_array()) {
        for (const auto& one : *ports) {
            kept.ports.push_back({.container_port = one.value("containerPort", std::uint16_t{0}),
                                  .host_port = one.value("hostPort", std::uint16_t{0}),
                                  .host_ip = one.value("hostIP", ""),
                                  .protocol = one.value("protocol", "")});
        }
    }
    return kept;
}

Result<void> Networks::keep(const std::string& id, const Kept& kept) const {
    nlohmann::json document = nlohmann::json::object();
    document["name"] = kept.name;
    document["mode"] = kept.mode;
    document["ports"] = nlohmann::json::array();
    for (const PortBinding& port : kept.ports) {
        document["ports"].push_back({{"containerPort", port.container_port},
                                     {"hostPort", port.host_port},
                                     {"hostIP", port.host_ip},
                                     {"protocol", port.protocol}});
    }
    document["result"] = kept.result;
    if (auto made = make_directories(options_.folder + "/attached", 0700); !made) return made;
    return replace_file(file_of(id), dump_json(document));
}

// ---- the plugins' documents

nlohmann::json Networks::bridge_config(const std::string& subnet) const {
    nlohmann::json config = nlohmann::json::object();
    config["cniVersion"] = kCniVersion;
    config["name"] = kNetwork;
    config["type"] = "bridge";
    config["bridge"] = options_.bridge;
    config["isGateway"] = true;
    config["hairpinMode"] = true;
    config["ipam"] = {{"type", "host-local"},
                      {"dataDir", options_.folder + "/addresses"},
                      {"ranges", {{{{"subnet", subnet}}}}},
                      {"routes", {{{"dst", "0.0.0.0/0"}}}}};
    return config;
}

nlohmann::json Networks::portmap_config(const Kept& kept) const {
    nlohmann::json config = nlohmann::json::object();
    config["cniVersion"] = kCniVersion;
    config["name"] = kNetwork;
    config["type"] = "portmap";
    config["snat"] = true;
    config["capabilities"] = {{"portMappings", true}};
    nlohmann::json mappings = nlohmann::json::array();
    for (const PortBinding& port : kept.ports) {
        nlohmann::json mapping = {
            {"hostPort", port.host_port}, {"containerPort", port.container_port}, {"protocol", port.protocol}};
        if (port.host_ip != "0.0.0.0") mapping["hostIP"] = port.host_ip;
        mappings.push_back(std::move(mapping));
    }
    config["runtimeConfig"] = {{"portMappings", std::move(mappings)}};
    if (!kept.result.is_null()) config["prevResult"] = kept.result;
    return config;
}

// ---- attach and detach

Result<std::string> Networks::bridge_ready() {
    const std::lock_guard lock(bridge_mutex_);
    if (!subnet_.empty()) return subnet_;
    if (auto made = make_directories(options_.folder, 0700); !made) return made.error();
    const auto subnet = choose_subnet(options_.subnet, options_.folder + "/subnet", options_.bridge);
    if (!subnet) return subnet.error();
    if (auto set = set_bridge_rules(options_.bridge, *subnet); !set) return set.error();
    subnet_ = *subnet;
    return subnet_;
}

Result<Attachment> Networks::attach(const std::string& id, const std::string& name, const nlohmann::json& host_config) {
    const std::string mode = mode_of(host_config);
    if (mode != "bridge" && mode != "none") {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "network mode " + mode + " is not supported on containerd; bridge, host and none are"};
    }
    Kept kept{.name = name, .mode = mode, .ports = {}, .result = {}};
    if (mode == "bridge") {
        auto ports = wanted_ports(host_config);
        if (!ports) return std::move(ports).error();
        kept.ports = *std::move(ports);
    }
    if (auto clean = detach(id); !clean) return clean.error();
    {
        const std::lock_guard lock(mutex_);
        ours_.insert(id);
    }
    auto attachment = connect(id, std::move(kept));
    if (!attachment) (void)detach(id);
    return attachment;
}

Result<Attachment> Networks::connect(const std::string& id, Kept kept) {
    if (auto taken = ports_.take(id, kept.name, kept.ports); !taken) return taken.error();
    // before anything is there, so that what was done when the agent is killed can be undone
    if (auto written = keep(id, kept); !written) return written.error();
    if (auto made = make_netns(netns_path(id)); !made) return made.error();
    if (kept.mode == "none") return Attachment{.mode = kept.mode, .ipv4 = {}, .gateway = {}, .mac = {}, .ports = {}};
    const auto subnet = bridge_ready();
    if (!subnet) return subnet.error();
    PluginCall call{.command = "ADD", .container_id = id, .netns = netns_path(id), .config = bridge_config(*subnet)};
    auto result = call_plugin(options_.plugin_folders, call);
    if (!result) return result.error();
    kept.result = *std::move(result);
    if (!kept.ports.empty()) {
        if (auto written = keep(id, kept); !written) return written.error();
        call.config = portmap_config(kept);
        auto mapped = call_plugin(options_.plugin_folders, call);
        if (!mapped) return mapped.error();
    }
    return attachment_of(kept.result, std::move(kept.ports));
}

Result<void> Networks::disconnect(const std::string& id, const Kept& kept) {
    if (kept.mode == "none") return {};
    const std::string path = netns_path(id);
    PluginCall call{.command = "DEL", .container_id = id, .netns = is_netns(path) ? path : std::string(), .config = {}};
    if (!kept.ports.empty()) {
        call.config = portmap_config(kept);
        if (auto unmapped = call_plugin(options_.plugin_folders, call); !unmapped) return unmapped.error();
    }
    const auto subnet = bridge_ready();
    if (!subnet) return subnet.error();
    call.config = bridge_config(*subnet);
    if (!kept.result.is_null()) call.config["prevResult"] = kept.result;
    auto removed = call_plugin(options_.plugin_folders, call);
    if (!removed) return removed.error();
    return {};
}

Result<void> Networks::detach(const std::string& id) {
    if (const auto kept = kept_of(id)) {
        if (auto gone = disconnect(id, *kept); !gone) return gone;
        std::error_code ignored;
        std::filesystem::remove(file_of(id), ignored);
    }
    ports_.release(id);
    auto removed = remove_netns(netns_path(id));
    const std::lock_guard lock(mutex_);
    ours_.erase(id);
    return removed;
}

void Networks::reconcile(const std::set<std::string>& attached) {
    std::set<std::string> strays;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(options_.folder + "/attached", failed)) {
        std::string id = entry.path().filename();
        const std::lock_guard lock(mutex_);
        if (!attached.contains(id) && !ours_.contains(id)) strays.insert(std::move(id));
    }
    for (const std::string& id : strays) {
        if (auto gone = detach(id); !gone) {
            log::warn("a network that no container has any more stays",
                      {{"container", id}, {"cause", gone.error().what}});
        }
    }
    for (const std::string& id : attached) {
        auto kept = kept_of(id);
        if (!kept || kept->ports.empty()) continue;
        if (auto taken = ports_.take(id, kept->name, kept->ports); !taken) {
            log::warn("a published port of a running container is not held",
                      {{"container", id}, {"cause", taken.error().what}});
        }
    }
}

}  // namespace nodeagent::runtime::containerd
