#include "runtime/containerd/network/cni.hpp"

#include <unistd.h>

#include <optional>

#include "agent/base/strings.hpp"
#include "runtime/containerd/network/program.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using namespace std::chrono_literals;

constexpr auto kAddTimeout = 60s;
constexpr auto kRemoveTimeout = 30s;

std::string word(const Json& document, const char* key) {
    if (!document.is_object()) return {};
    const auto found = document.find(key);
    return found != document.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

const Json& plugins_of(const Json& list) {
    static const Json none = Json::array();
    const auto found = list.find("plugins");
    return found != list.end() && found->is_array() ? *found : none;
}

/// What a plugin says of its failure: {"code":11,"msg":"..","details":".."} on standard output.
Error failure_of(const std::string& type, const ProgramEnd& end) {
    const Json document = Json::parse(end.output, nullptr, false);
    std::string text = word(document, "msg");
    if (const std::string details = word(document, "details"); !details.empty()) {
        text += (text.empty() ? "" : ": ") + details;
    }
    if (text.empty()) text = trimmed(end.errors);
    if (text.empty()) text = "it ended with " + std::to_string(end.status);
    return {.kind = ErrorKind::Unavailable, .what = "CNI plugin " + type + ": " + truncated(valid_utf8(text), 2048)};
}

}  // namespace

Cni::Cni(std::vector<std::string> folders) : folders_(std::move(folders)) {}

Json plugin_input(const Json& list, const Json& plugin, const Json& runtime, const Json& previous) {
    Json input = plugin;
    input["name"] = word(list, "name");
    input["cniVersion"] = word(list, "cniVersion");
    if (!previous.is_null()) input["prevResult"] = previous;
    if (const auto declared = plugin.find("capabilities"); declared != plugin.end() && declared->is_object()) {
        Json wanted = Json::object();
        for (const auto& [name, on] : declared->items()) {
            if (on == true && runtime.is_object() && runtime.contains(name)) wanted[name] = runtime[name];
        }
        if (!wanted.empty()) input["runtimeConfig"] = std::move(wanted);
    }
    return input;
}

Result<Json> Cni::run(const std::string& command, const Json& list, const Json& plugin, const CniCall& call,
                      const Json& previous, std::chrono::milliseconds timeout) const {
    const std::string type = word(plugin, "type");
    if (type.empty() || type.find('/') != std::string::npos) {
        return Error{.kind = ErrorKind::Malformed, .what = "no CNI plugin can be called \"" + type + "\""};
    }
    std::string path;
    for (const std::string& folder : folders_) {
        std::string candidate = folder + "/" + type;
        if (::access(candidate.c_str(), X_OK) == 0) {
            path = std::move(candidate);
            break;
        }
    }
    if (path.empty()) {
        return Error{.kind = ErrorKind::NotFound,
                     .what = "no CNI plugin " + type + " in " + join(folders_, ", ") +
                             ": apt-get install containernetworking-plugins"};
    }
    // PATH: plugins call the host's iptables and the like
    const auto end = run_program(
        {.path = path,
         .arguments = {},
         .environment = {"CNI_COMMAND=" + command, "CNI_CONTAINERID=" + call.container_id, "CNI_NETNS=" + call.netns,
                         "CNI_IFNAME=" + call.interface, "CNI_PATH=" + join(folders_, ":"),
                         "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
         .input = plugin_input(list, plugin, call.runtime, previous).dump(),
         .timeout = timeout});
    if (!end) return with_context("CNI plugin " + type, end.error());
    if (end->status != 0) return failure_of(type, *end);
    if (command != "ADD") return Result<Json>(boost::system::in_place_value, nullptr);
    Json result = Json::parse(end->output, nullptr, false);
    if (!result.is_object()) {
        return Error{.kind = ErrorKind::Malformed, .what = "CNI plugin " + type + " answered with what is no result"};
    }
    return Result<Json>(boost::system::in_place_value, std::move(result));
}

Result<Json> Cni::add(const Json& list, const CniCall& call) const {
    Json result;
    for (const Json& plugin : plugins_of(list)) {
        Result<Json> answer = run("ADD", list, plugin, call, result, kAddTimeout);
        if (!answer) return answer;
        result = *std::move(answer);
    }
    return Result<Json>(boost::system::in_place_value, std::move(result));
}

Result<void> Cni::remove(const Json& list, const CniCall& call, const Json& result) const {
    const Json& plugins = plugins_of(list);
    std::optional<Error> first;
    for (auto plugin = plugins.rbegin(); plugin != plugins.rend(); ++plugin) {
        auto done = run("DEL", list, *plugin, call, result, kRemoveTimeout);
        if (!done && !first) first = std::move(done).error();
    }
    if (first) return *std::move(first);
    return {};
}

}  // namespace nodeagent::runtime::containerd
