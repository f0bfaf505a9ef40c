#include "runtime/containerd/network/networks.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/network/netns.hpp"
#include "runtime/containerd/network/port_wishes.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr const char* kNetwork = "ecs";  ///< host-local's folder of leases, too
constexpr std::string_view kPin = "ecs-";
constexpr std::string_view kOther = "container:";

bool is_container_id(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void keep_first(Result<void>& first, Result<void> next) {
    if (first && !next) first = std::move(next);
}

}  // namespace

std::string network_mode(const Json& host_config) {
    std::string mode;
    if (host_config.is_object()) {
        const auto found = host_config.find("NetworkMode");
        if (found != host_config.end() && found->is_string()) mode = found->get<std::string>();
    }
    return mode.empty() || mode == "default" ? "bridge" : mode;
}

Networks::Networks(NetworkOptions options)
    : options_(std::move(options)),
      cni_(options_.plugin_folders),
      records_(options_.folder + "/attachments"),
      ports_(options_.dynamic_first, options_.dynamic_last),
      bridge_(options_.bridge, options_.subnet, options_.folder) {}

std::string Networks::netns_path(const std::string& id) const {
    return options_.netns_folder + "/" + std::string(kPin) + id;
}

Json Networks::network_list(const Subnet& subnet) const {
    Json plugin = {{"type", "bridge"},
                   {"bridge", options_.bridge},
                   {"isGateway", true},
                   {"hairpinMode", true},
                   {"capabilities", {{"mac", true}}},
                   {"ipam",
                    {{"type", "host-local"},
                     {"dataDir", options_.folder + "/ipam"},
                     {"ranges", Json::array({Json::array({Json{{"subnet", to_string(subnet)}}})})},
                     {"routes", Json::array({Json{{"dst", "0.0.0.0/0"}}})}}}};
    if (options_.mtu > 0) plugin["mtu"] = options_.mtu;
    Json list = {{"name", kNetwork}, {"cniVersion", "1.0.0"}};
    list["plugins"] = Json::array({std::move(plugin)});
    return list;
}

CniCall Networks::plugin_call(const std::string& id) const {
    return {.container_id = id, .netns = is_pinned(netns_path(id)) ? netns_path(id) : std::string{}};
}

Result<Attachment> Networks::attach(const std::string& id, const Json& config, const Json& host_config,
                                    const std::string& name) {
    const std::string mode = network_mode(host_config);
    if (mode == "host") return Attachment{.mode = mode};
    if (mode.starts_with(kOther)) {
        const std::string other = mode.substr(kOther.size());
        if (!is_pinned(netns_path(other))) {
            return Error{.kind = ErrorKind::Conflict,
                         .what = "cannot join network of a non running container: " + other};
        }
        return Attachment{.mode = mode, .netns_path = netns_path(other)};
    }
    if (mode != "bridge" && mode != "none") {
        return Error{.kind = ErrorKind::NotFound, .what = "network " + mode + " not found"};
    }
    {
        const std::lock_guard one(mutex_);
        own_.insert(id);
    }
    auto attachment = mode == "bridge" ? attach_bridge(id, config, host_config, name) : [&]() -> Result<Attachment> {
        if (auto pinned = pin_namespace(netns_path(id), options_.mount_namespace); !pinned) return pinned.error();
        return Attachment{.netns_path = netns_path(id)};
    }();
    if (attachment) {
        attachment->mode = mode;
        return attachment;
    }
    if (auto undone = detach(id); !undone) {
        log::warn("a network that failed could not be undone", {{"container", id}, {"reason", undone.error().what}});
    }
    return attachment;
}

Result<Attachment> Networks::attach_bridge(const std::string& id, const Json& config, const Json& host_config,
                                           const std::string& name) {
    const auto wishes = port_wishes(config, host_config);
    if (!wishes) return wishes.error();
    if (auto known = records_.load(id)) {
        if (!known->result.is_null() && is_pinned(netns_path(id))) {
            if (auto taken = ports_.take_again(id, known->ports); !taken) return taken.error();
            Attachment attachment = attachment_of(known->result);
            attachment.netns_path = netns_path(id);
            attachment.ports = std::move(known->ports);
            return attachment;
        }
        if (auto gone = detach(id); !gone) return with_context("end what an earlier start left", gone.error());
        const std::lock_guard one(mutex_);
        own_.insert(id);
    }
    const auto subnet = bridge_.ensure();
    if (!subnet) return subnet.error();
    auto ports = ports_.take(id, name, *wishes);
    if (!ports) return ports.error();
    AttachmentRecord record{.id = id, .ports = *std::move(ports), .network = network_list(*subnet)};
    return connect(record, config);
}

Result<Attachment> Networks::connect(AttachmentRecord& record, const Json& config) {
    if (auto saved = records_.save(record); !saved) return saved.error();
    const std::string path = netns_path(record.id);
    if (is_pinned(path)) {  // of nobody: without a record there was nothing to connect
        if (auto gone = unpin_namespace(path, options_.mount_namespace); !gone) return gone.error();
    }
    if (auto pinned = pin_namespace(path, options_.mount_namespace); !pinned) return pinned.error();
    CniCall call = plugin_call(record.id);
    if (config.is_object()) {
        const auto mac = config.find("MacAddress");
        if (mac != config.end() && mac->is_string() && !mac->get_ref<const std::string&>().empty()) {
            call.runtime = Json{{"mac", *mac}};
        }
    }
    auto result = cni_.add(record.network, call);
    if (!result) return result.error();
    Attachment attachment = attachment_of(*result);
    if (attachment.ipv4.empty()) {
        return Error{.kind = ErrorKind::Malformed, .what = "CNI plugin bridge gave no IPv4 address"};
    }
    if (auto published = bridge_.publish(record.id, attachment.ipv4, record.ports); !published) {
        return published.error();
    }
    record.result = *std::move(result);
    if (auto saved = records_.save(record); !saved) return saved.error();
    attachment.netns_path = path;
    attachment.ports = std::move(record.ports);
    return attachment;
}

Result<void> Networks::detach(const std::string& id) {
    Result<void> done;
    const auto record = records_.load(id);
    if (record) {
        keep_first(done, bridge_.unpublish(id, attachment_of(record->result).ipv4, record->ports));
        if (record->network.is_object()) {
            auto removed = cni_.remove(record->network, plugin_call(id), record->result);
            if (!removed && removed.error().kind == ErrorKind::NotFound) {
                // without the plugin: the interface goes with the namespace
                remove_leases([&](const std::string& owner) { return owner == id; });
                removed = Result<void>{};
            }
            keep_first(done, std::move(removed));
        }
    }
    keep_first(done, unpin_namespace(netns_path(id), options_.mount_namespace));
    if (!done) return done;  // the record stays: another try finds what is left
    ports_.release(id);
    const std::lock_guard one(mutex_);
    own_.erase(id);
    return record ? records_.remove(id) : Result<void>{};
}

bool Networks::is_own(const std::string& id) {
    const std::lock_guard one(mutex_);
    return own_.contains(id);
}

// An attach may begin meanwhile: whose a thing is, is asked after it was found, and attach() says so before it makes
// one.
void Networks::reconcile(const std::set<std::string>& running_ids) {
    const auto kept = [&](const std::string& id) { return running_ids.contains(id) || is_own(id); };
    std::vector<Bridge::Published> published;
    for (const std::string& id : records_.ids()) {
        if (is_own(id)) continue;
        if (!running_ids.contains(id)) {
            if (auto gone = detach(id); !gone) {
                log::warn("what a container left in the network could not be removed",
                          {{"container", id}, {"reason", gone.error().what}});
            }
            continue;
        }
        auto record = records_.load(id);
        if (!record || record->result.is_null()) continue;
        if (auto taken = ports_.take_again(id, record->ports); !taken) {
            log::warn("another process took a port of a running container; the container still gets what arrives there",
                      {{"container", id}, {"reason", taken.error().what}});
        }
        published.push_back({.id = id, .ipv4 = attachment_of(record->result).ipv4, .ports = std::move(record->ports)});
    }
    if (::access((options_.folder + "/subnet").c_str(), F_OK) == 0) {  // else the bridge was never needed
        Result<void> done;
        if (!published.empty()) {
            if (auto ready = bridge_.ensure(); !ready) done = ready.error();
        }
        keep_first(done, bridge_.restore(published, [&](const std::string& id) { return is_own(id); }));
        if (!done)
            log::warn("packet filter rules of containers could not be restored", {{"reason", done.error().what}});
    }
    remove_stray_namespaces(kept);
    remove_leases([&](const std::string& owner) { return !kept(owner); });
}

void Networks::remove_stray_namespaces(const std::function<bool(const std::string& id)>& kept) {
    std::vector<std::string> strays;
    std::error_code absent;
    for (const auto& file : std::filesystem::directory_iterator(options_.netns_folder, absent)) {
        const std::string name = file.path().filename();
        if (!name.starts_with(kPin)) continue;
        std::string id = name.substr(kPin.size());
        if (is_container_id(id) && !kept(id)) strays.push_back(std::move(id));
    }
    for (const std::string& id : strays) {
        if (auto gone = unpin_namespace(netns_path(id), options_.mount_namespace); !gone) {
            log::warn("a network namespace that no container owns could not be removed",
                      {{"container", id}, {"reason", gone.error().what}});
        }
    }
}

/// host-local's files are named after the address; their first line is the container's id.
void Networks::remove_leases(const std::function<bool(const std::string& owner)>& unwanted) {
    std::error_code absent;
    std::vector<std::filesystem::path> strays;
    for (const auto& file : std::filesystem::directory_iterator(options_.folder + "/ipam/" + kNetwork, absent)) {
        const std::string name = file.path().filename();
        if (name.find_first_not_of("0123456789.") != std::string::npos) continue;
        const auto content = read_file(file.path(), 4096);
        if (!content) continue;
        if (unwanted(std::string(trimmed(split(*content, '\n').front())))) strays.push_back(file.path());
    }
    for (const auto& path : strays) {
        std::error_code failed;
        std::filesystem::remove(path, failed);
    }
}

}  // namespace nodeagent::runtime::containerd
