#include "runtime/containerd/oci/command.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "runtime/containerd/oci/documents.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

std::string_view variable_name(std::string_view variable) { return variable.substr(0, variable.find('=')); }

/// Config.Env, then what only the image sets.
std::vector<std::string> merged_environment(std::vector<std::string> own, const std::vector<std::string>& images) {
    if (own.empty()) return images;
    const std::size_t given = own.size();
    for (const std::string& variable : images) {
        const auto same = [&variable](const std::string& one) { return variable_name(one) == variable_name(variable); };
        const auto last = own.begin() + static_cast<std::ptrdiff_t>(given);
        if (std::none_of(own.begin(), last, same)) own.push_back(variable);
    }
    return own;
}

/// Those of `over` replace, in place, the ones of `base` with the same name.
std::vector<std::string> overlaid(std::vector<std::string> base, const std::vector<std::string>& over) {
    std::map<std::string, std::size_t, std::less<>> places;
    for (std::size_t i = 0; i < base.size(); ++i) places[std::string(variable_name(base[i]))] = i;
    for (const std::string& variable : over) {
        const auto place = places.find(variable_name(variable));
        const bool unset = variable.find('=') == std::string::npos;
        if (place != places.end()) {
            base[place->second] = unset ? std::string() : variable;
        } else if (!unset) {
            base.push_back(variable);
        }
    }
    std::erase(base, std::string());
    return base;
}

}  // namespace

Result<std::vector<std::string>> container_arguments(const Json& config, const ImageConfig& image) {
    std::vector<std::string> entrypoint = texts_of(config, "Entrypoint");
    std::vector<std::string> command = texts_of(config, "Cmd");
    if (entrypoint.empty()) {
        if (command.empty()) command = image.cmd;
        if (member_of(config, "Entrypoint") == nullptr) entrypoint = image.entrypoint;
    }
    if (entrypoint.size() == 1 && entrypoint.front().empty()) entrypoint.clear();
    if (entrypoint.empty() && command.empty()) return malformed("No command specified");
    entrypoint.insert(entrypoint.end(), command.begin(), command.end());
    return entrypoint;
}

Result<std::vector<std::string>> container_environment(const Json& config, const ImageConfig& image,
                                                       const EnvironmentInputs& inputs) {
    const std::vector<std::string> own = texts_of(config, "Env");
    for (const std::string& variable : own) {
        if (variable_name(variable).empty()) return malformed("invalid environment variable: " + variable);
    }
    std::vector<std::string> base{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                  "HOSTNAME=" + inputs.hostname};
    if (flag_of(config, "Tty")) base.emplace_back("TERM=xterm");
    base.insert(base.end(), inputs.links.begin(), inputs.links.end());
    return overlaid(std::move(base), merged_environment(own, image.env));
}

}  // namespace nodeagent::runtime::containerd::oci
