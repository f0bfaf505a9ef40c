#include "agent/config/command_line.hpp"

#include <algorithm>
#include <array>

#include "agent/base/strings.hpp"
#include "agent/config/flags.hpp"
#include "agent/config/values.hpp"

namespace nodeagent::config {

namespace {

Error misuse(std::string what) {
    return {.kind = ErrorKind::Malformed, .what = std::move(what) + "; --help lists the flags"};
}

// The reference ignores words that are no level; so do we, in silence, because the log is not there yet.
std::optional<log::Level> level_of(std::string_view word) {
    bool known = false;
    const log::Level level = log::parse_level(word, &known);
    return known ? std::optional(level) : std::nullopt;
}

void mark(Loaded& loaded, std::string_view name, const std::string& value) {
    for (EffectiveSetting& setting : loaded.settings) {
        if (setting.name != name) continue;
        setting.value = value;
        setting.source = "command line";
    }
}

/// The flags after the word host-setup.
Result<CommandLine> parse_host_setup(std::span<const char* const> arguments) {
    CommandLine line;
    line.command = Command::HostSetup;
    for (const std::string_view argument : arguments) {
        const std::string_view name = argument.substr(argument.starts_with("--")  ? 2
                                                      : argument.starts_with("-") ? 1
                                                                                  : 0);
        Command wanted = Command::HostSetup;
        if (name == "check") wanted = Command::HostSetupCheck;
        if (name == "remove") wanted = Command::HostSetupRemove;
        if (name == "help" || name == "h") wanted = Command::HostSetupHelp;
        if (!argument.starts_with('-') || wanted == Command::HostSetup) {
            return Error{
                .kind = ErrorKind::Malformed,
                .what = "host-setup: unexpected \"" + std::string(argument) + "\"; host-setup --help lists its flags"};
        }
        const bool asks_two = line.command != Command::HostSetup && line.command != wanted;
        if (asks_two && line.command != Command::HostSetupHelp && wanted != Command::HostSetupHelp) {
            return Error{.kind = ErrorKind::Malformed, .what = "host-setup: --check or --remove, not both"};
        }
        if (line.command != Command::HostSetupHelp) line.command = wanted;
    }
    return line;
}

}  // namespace

std::span<const Flag> flags() {
    static constexpr std::array kFlags{
        Flag{"version", "", "print the version and exit", Command::Version},
        Flag{"license", "", "print the licence and exit", Command::License},
        Flag{"healthcheck", "", "ask the running agent; exit 0 if it answers, else 1", Command::Healthcheck},
        Flag{"ecs-attributes", "", "print the capabilities this agent would register", Command::Attributes},
        Flag{"check-config", "", "print the effective settings and what is wrong with them; exit 0 or 1",
             Command::CheckConfig},
        Flag{"settings-table", "", "print the table of settings as markdown", Command::SettingsTable},
        Flag{"help", "", "print this text", Command::Help},
        Flag{"loglevel", "LEVEL", "set both log levels: crit, error, warn, info, debug; wins over the two below",
             std::nullopt},
        Flag{"loglevel-driver", "LEVEL", "level of the stream, instead of ECS_LOGLEVEL", std::nullopt},
        Flag{"loglevel-on-instance", "LEVEL", "level of the file, instead of ECS_LOGLEVEL_ON_INSTANCE", std::nullopt},
        Flag{"k", "", "do not verify TLS certificates of AWS endpoints (for tests only)", std::nullopt},
        Flag{"blackhole-ec2-metadata", "", "never ask the EC2 instance metadata service", std::nullopt},
        Flag{"windows-service", "", "not on Linux: exits 1", Command::WindowsService},
    };
    return kFlags;
}

Result<CommandLine> parse_command_line(std::span<const char* const> arguments) {
    if (!arguments.empty() && std::string_view(arguments.front()) == "host-setup")
        return parse_host_setup(arguments.subspan(1));
    CommandLine line;
    std::optional<log::Level> both;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--") break;
        if (argument.size() < 2 || argument.front() != '-')
            return misuse("unexpected argument \"" + std::string(argument) + "\"");
        std::string_view name = argument.substr(argument.starts_with("--") ? 2 : 1);
        std::optional<std::string_view> value;
        if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
            value = name.substr(equals + 1);
            name = name.substr(0, equals);
        }
        if (name == "h") name = "help";
        const auto all = flags();
        const auto flag = std::find_if(all.begin(), all.end(), [&](const Flag& f) { return f.name == name; });
        if (flag == all.end()) return misuse("unknown flag \"" + std::string(argument) + "\"");

        if (flag->value.empty()) {
            const std::optional<bool> on = value ? values::parse_bool(*value) : std::optional(true);
            if (!on) return misuse("-" + std::string(name) + ": \"" + std::string(*value) + "\" is not a boolean");
            if (flag->command && *on && line.command == Command::Run) line.command = *flag->command;
            if (name == "k") line.insecure_tls = *on;
            if (name == "blackhole-ec2-metadata") line.blackhole_imds = *on;
            continue;
        }
        if (!value) {
            if (i + 1 == arguments.size()) return misuse("-" + std::string(name) + " needs a value");
            value = arguments[++i];
        }
        bool understood = true;
        (void)log::parse_level(*value, &understood);
        if (!understood) {
            return misuse("-" + std::string(name) + ": \"" + std::string(*value) +
                          "\" is not one of crit, error, warn, info, debug" +
                          (name == "loglevel-on-instance" ? ", none" : ""));
        }
        if (name == "loglevel") both = level_of(*value);
        if (name == "loglevel-driver") line.log_level = level_of(*value);
        if (name == "loglevel-on-instance") line.log_level_on_instance = level_of(*value);
    }
    if (both) line.log_level = line.log_level_on_instance = both;
    return line;
}

void apply(const CommandLine& line, Loaded& loaded) {
    if (line.log_level) {
        loaded.config.log_level = *line.log_level;
        mark(loaded, "ECS_LOGLEVEL", values::show(*line.log_level));
    }
    if (line.log_level_on_instance) {
        loaded.config.log_level_on_instance = *line.log_level_on_instance;
        mark(loaded, "ECS_LOGLEVEL_ON_INSTANCE", values::show(*line.log_level_on_instance));
    }
    loaded.config.insecure_tls = line.insecure_tls;
}

}  // namespace nodeagent::config
