#include "agent/engine/spec/engine_auth.hpp"

#include <algorithm>
#include <array>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::engine {

namespace {

/// Docker Hub's historic name among credentials.
constexpr std::string_view kDockerHubKey = "index.docker.io/v1/";
constexpr std::array<std::string_view, 4> kDockerHubHosts{"", "docker.io", "index.docker.io", "registry-1.docker.io"};

Error malformed(std::string_view detail) {
    return Error{.kind = ErrorKind::Malformed, .what = "ECS_ENGINE_AUTH_DATA: " + std::string(detail)};
}

std::string text(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string without_scheme(std::string_view registry) {
    for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
        if (registry.starts_with(scheme)) registry.remove_prefix(scheme.size());
    }
    return std::string(registry);
}

runtime::RegistryAuth plain_entry(const Json& entry) {
    return {.username = text(entry, "username"),
            .password = Secret(text(entry, "password")),
            .email = text(entry, "email"),
            .server_address = text(entry, "serveraddress")};
}

/// {"auth": base64("user:password")}, the form of docker's own configuration file.
Result<runtime::RegistryAuth> encoded_entry(const std::string& registry, const Json& entry) {
    const Secret encoded(text(entry, "auth"));
    std::optional<std::string> decoded = base64_decode(encoded.reveal());
    if (!decoded) return malformed("auth of " + registry + ": expected base64 of user:password");
    while (decoded->ends_with('\0')) decoded->pop_back();
    const std::size_t colon = decoded->find(':');
    if (colon == std::string::npos) return malformed("auth of " + registry + ": expected base64 of user:password");
    return runtime::RegistryAuth{.username = decoded->substr(0, colon),
                                 .password = Secret(decoded->substr(colon + 1)),
                                 .email = text(entry, "email"),
                                 .server_address = text(entry, "serveraddress")};
}

}  // namespace

std::string_view registry_host(std::string_view image) {
    const std::size_t slash = image.find('/');
    if (slash == std::string_view::npos) return {};
    const std::string_view first = image.substr(0, slash);
    return first.find_first_of(".:") != std::string_view::npos || first == "localhost" ? first : std::string_view();
}

Result<EngineAuth> EngineAuth::parse(std::string_view type, const Secret& data) {
    EngineAuth auth;
    if (type.empty()) return auth;
    if (type != "docker" && type != "dockercfg") {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "ECS_ENGINE_AUTH_TYPE '" + std::string(type) + "': expected docker or dockercfg"};
    }
    const Result<Json> document = parse_json(data.reveal());
    if (!document || !document->is_object()) return malformed("expected a JSON object of registries");
    for (const auto& [registry, entry] : document->items()) {
        if (!entry.is_object()) return malformed(registry + ": expected an object");
        if (type == "docker") {
            auth.by_registry_[without_scheme(registry)] = plain_entry(entry);
            continue;
        }
        Result<runtime::RegistryAuth> decoded = encoded_entry(registry, entry);
        if (!decoded) return std::move(decoded).error();
        auth.by_registry_[without_scheme(registry)] = std::move(*decoded);
    }
    return auth;
}

runtime::RegistryAuth EngineAuth::find(std::string_view image) const {
    const std::string_view host = registry_host(image);
    const bool hub = std::find(kDockerHubHosts.begin(), kDockerHubHosts.end(), host) != kDockerHubHosts.end();
    auto found = by_registry_.find(hub ? kDockerHubKey : host);
    if (found == by_registry_.end() && !hub) {
        std::size_t longest = 0;
        for (auto entry = by_registry_.begin(); entry != by_registry_.end(); ++entry) {
            const std::string_view key = entry->first;
            if (key.substr(0, key.find('/')) != host || !image.starts_with(key) || key.size() <= longest) continue;
            longest = key.size();
            found = entry;
        }
    }
    return found == by_registry_.end() ? runtime::RegistryAuth{} : found->second;
}

}  // namespace nodeagent::engine
