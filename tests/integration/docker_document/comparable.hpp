#pragma once
// An OCI document in a form that makes those of two authors comparable: without what names this container's files,
// without the order of sets, without members that say nothing.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/json.hpp"

namespace nodeagent::document_parity {

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// Nulls, empty objects, empty lists and empty texts are as good as absent; of these members zero and false, too.
inline void prune(Json& value) {
    constexpr std::array<std::string_view, 7> kZeroIsAbsent{
        "weight", "shares", "valueTwo", "disableOOMKiller", "noNewPrivileges", "terminal", "readonly"};
    if (value.is_array()) {
        for (Json& element : value) prune(element);
    }
    if (!value.is_object()) return;
    for (auto member = value.begin(); member != value.end();) {
        prune(*member);
        const bool zero = *member == 0 || *member == false;
        const bool says_nothing =
            member->is_null() || (member->is_structured() && member->empty()) || *member == "" ||
            (zero && std::find(kZeroIsAbsent.begin(), kZeroIsAbsent.end(), member.key()) != kZeroIsAbsent.end());
        member = says_nothing ? value.erase(member) : std::next(member);
    }
}

inline Json sorted(Json list) {
    std::sort(list.begin(), list.end());
    return list;
}

/// By name of the call: what is decided about it, in any order.
inline Json calls_of(const Json& profile) {
    Json calls = Json::object();
    for (const Json& rule : profile.value("syscalls", Json::array())) {
        Json verdict = rule;
        verdict.erase("names");
        prune(verdict);
        for (const Json& name : rule.at("names")) calls[name.get<std::string>()].push_back(verdict);
    }
    for (Json& verdicts : calls) verdicts = sorted(verdicts);
    return calls;
}

inline Json mounts_of(const Json& mounts) {
    Json out = Json::object();
    for (Json mount : mounts) {
        const std::string place = mount.at("destination"), source = mount.value("source", "");
        constexpr std::array<std::string_view, 2> kOwnFiles{"/containers/", "/volumes/"};
        const bool own = std::any_of(kOwnFiles.begin(), kOwnFiles.end(),
                                     [&source](std::string_view part) { return source.find(part) != source.npos; });
        if (own) mount["source"] = "<own>";
        if (mount.at("type") == "bind") {
            // the list has one of the two or none, which is rprivate
            std::erase_if(mount["options"].get_ref<Json::array_t&>(), [](const Json& one) { return one == "rw"; });
        }
        mount["options"] = sorted(mount.value("options", Json::array()));
        mount.erase("destination");
        out[place] = std::move(mount);
    }
    return out;
}

inline Json comparable(const Json& document, const std::string& id) {
    std::string text = replaced(dump_json(document), id, "<id>");
    Json out = Json::parse(replaced(std::move(text), id.substr(0, 12), "<id12>"));
    out.erase("hooks");
    out.erase("ociVersion");
    out["root"].erase("path");
    out["mounts"] = mounts_of(out.at("mounts"));
    Json& process = out.at("process");
    for (Json& set : process.at("capabilities")) set = sorted(set);
    Json& platform = out.at("linux");
    Json namespaces = Json::object();
    for (const Json& one : platform.at("namespaces")) {
        const std::string type = one.at("type");
        // dockerd moves a process into its network by a hook
        namespaces[type] = type == "network" ? "" : one.value("path", "");
    }
    platform["namespaces"] = Json::array({namespaces});
    if (platform.contains("seccomp")) {
        Json& profile = platform.at("seccomp");
        profile["architectures"] = sorted(profile.value("architectures", Json::array()));
        profile["syscalls"] = calls_of(profile);
    }
    if (platform.contains("devices")) {
        Json devices = Json::object();
        for (const Json& device : platform.at("devices")) devices[device.at("path").get<std::string>()] = device;
        platform["devices"] = std::move(devices);
    }
    for (const char* list : {"maskedPaths", "readonlyPaths"}) {
        if (platform.contains(list)) platform[list] = sorted(platform.at(list));
    }
    if (platform.contains("maskedPaths")) {
        // later Dockers hide it; CVE-2020-8694
        std::erase(platform["maskedPaths"].get_ref<Json::array_t&>(), Json("/sys/devices/virtual/powercap"));
    }
    // a new cgroup has no limit
    if (platform["resources"].value("pids", Json::object()) == Json{{"limit", -1}}) platform["resources"].erase("pids");
    // /dev/fuse is denied after everything is
    const Json fuse{{"access", "rwm"}, {"allow", false}, {"major", 10}, {"minor", 229}, {"type", "c"}};
    std::erase(platform["resources"]["devices"].get_ref<Json::array_t&>(), fuse);
    prune(out);
    return out;
}

}  // namespace nodeagent::document_parity
