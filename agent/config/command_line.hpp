#pragma once
// The daemon's flags (config.md 4). As in the reference, -flag and --flag are the same, and a value follows as -flag=x
// or as the next argument. Anything that cannot be understood is Malformed: exit 5.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/log.hpp"
#include "agent/config/load.hpp"

namespace nodeagent::config {

enum class Command : std::uint8_t {
    Run,
    Version,
    License,
    Healthcheck,     ///< HEAD http://<ECS_AGENT_HEALTHCHECK_HOST>:51678/v1/metadata; 25 s; exit 0 on any answer, else 1
    Attributes,      ///< -ecs-attributes: name<TAB>value per capability
    WindowsService,  ///< exit 1 here
    Help,
    CheckConfig,
    SettingsTable,
    HostSetup,  ///< the word host-setup; with --check, --remove, --help the three below
    HostSetupCheck,
    HostSetupRemove,
    HostSetupHelp,
};

struct CommandLine {
    Command command = Command::Run;
    std::optional<log::Level> log_level;              ///< of the stream
    std::optional<log::Level> log_level_on_instance;  ///< of the file
    bool insecure_tls = false;                        ///< -k
    bool blackhole_imds = false;  ///< -blackhole-ec2-metadata: also set Surroundings::blackhole_imds
};

/// `arguments` without the program's name. The first may be the word host-setup, which has flags of its own.
[[nodiscard]] Result<CommandLine> parse_command_line(std::span<const char* const> arguments);

/// Lays the flags over what was loaded: levels, -k, and their source in the list of settings.
void apply(const CommandLine& flags, Loaded& loaded);

}  // namespace nodeagent::config
