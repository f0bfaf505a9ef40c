#include "agent/host_setup/settings_files.hpp"

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::host_setup {

config::Environment read_settings(std::string_view text) {
    config::Environment settings;
    for (std::string_view line : split(text, '\n')) {
        line = trimmed(line);
        const std::size_t equals = line.find('=');
        if (line.empty() || line.front() == '#' || line.front() == ';' || equals == std::string_view::npos) continue;
        const std::string_view name = trimmed(line.substr(0, equals));
        std::string_view value = trimmed(line.substr(equals + 1));
        const bool quoted =
            value.size() > 1 && value.front() == value.back() && (value.front() == '"' || value.front() == '\'');
        if (quoted) value = value.substr(1, value.size() - 2);
        if (!name.empty()) settings.insert_or_assign(std::string(name), std::string(value));
    }
    return settings;
}

config::Environment with_settings_files(config::Environment environment) {
    for (const char* file : {"/etc/ecs/ecs.config", "/var/lib/ecs/ecs.config"}) {
        const auto text = read_file(file, 1U << 20U);
        if (!text) continue;
        for (auto& [name, value] : read_settings(*text)) environment.try_emplace(name, std::move(value));
    }
    return environment;
}

}  // namespace nodeagent::host_setup
