#include "agent/cli/arguments.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "agent/base/strings.hpp"
#include "agent/cli/since.hpp"

namespace nodeagent::cli {

namespace {

/// The families of flags that a command has.
constexpr unsigned kAsks = 1, kDrains = 2, kMayWait = 4, kReads = 8;

struct Command {
    std::string_view name;
    Verb verb;
    unsigned flags;
    bool takes_id;
    std::string_view summary;
    std::string_view detail;
};

constexpr std::array kCommands{
    Command{"status", Verb::Status, kAsks, false, "is the agent registered, connected, and how many tasks does it run",
            "Shows the cluster, the container instance, the sessions with ECS, the container runtime, task counts and "
            "what\n"
            "the agent itself uses."},
    Command{
        "tasks", Verb::Tasks, kAsks, false, "the tasks on this machine",
        "One line per task: what ECS wants (DESIRED), what the runtime said last (KNOWN), what ECS last acknowledged\n"
        "(SENT), and what the task waits for."},
    Command{"task", Verb::Task, kAsks, true, "one task with its containers",
            "Shows one task and a line per container with image, status, exit code, health, ports and errors."},
    Command{"why", Verb::Why, kAsks, true, "what a task waits for, or why it stopped, in one sentence",
            "Says in one sentence what keeps the task from where ECS wants it, or why it stopped."},
    Command{
        "logs", Verb::Logs, kReads, true, "what a task's containers printed",
        "Prints what the containers of the task printed, in the order of time, from wherever they log to: CloudWatch "
        "Logs\n"
        "(awslogs), files (json-file), the journal (journald). Lines of several containers begin with the "
        "container's\n"
        "name. CloudWatch Logs is asked with your credentials (environment, profile), else with the agent's own; "
        "they need\n"
        "logs:GetLogEvents. For root. With --follow it ends when all containers have ended."},
    Command{"events", Verb::Events, kAsks, false, "the latest status changes",
            "One line per status change of a task or container, newest last."},
    Command{
        "config", Verb::Config, kAsks, false, "the settings in force and where each comes from",
        "Every setting with its effective value and source. Secrets are shown as <redacted>. \"not active\" marks a\n"
        "setting that is accepted and checked, but whose feature this build does not have."},
    Command{"drain", Verb::Drain, kDrains | kMayWait, false, "stop all tasks and take no new ones",
            "Tells ECS that this instance is DRAINING, then stops every task in reverse dependency order with its own\n"
            "stop timeouts. New tasks are refused until ecs-node undrain, also after a restart of the agent."},
    Command{"undrain", Verb::Undrain, kDrains, false, "take tasks again after drain",
            "Tells ECS that this instance is ACTIVE. Tasks that drain has stopped stay stopped."},
};

constexpr std::string_view kId = "ID is a task ARN, a task id, or the beginning of one that fits one task only.\n";

struct Flag {
    std::string_view name;
    std::string_view value;  ///< what stands for it; "": the flag takes none
    unsigned of;             ///< commands that have one of these; 0: every command
    std::string_view meaning;
};

constexpr std::array kFlags{
    Flag{"--wait", "", kMayWait, "print a line per second until no task is left"},
    Flag{"--tasks-only", "", kMayWait, "do not tell ECS: it may place new tasks here, which are refused"},
    Flag{"--container", "NAME", kReads, "of this container alone, also one of the agent's own making"},
    Flag{"--follow", "", kReads, "print also what comes, until all containers have ended (-f)"},
    Flag{"--since", "WHEN", kReads, "from then on: 10m, 1h30m, or 2026-02-03T04:05:06Z"},
    Flag{"--tail", "N", kReads, "of each container the last N lines only"},
    Flag{"--timestamps", "", kReads, "the time before each line (-t)"},
    Flag{"--json", "", kReads, "print a JSON object for each line"},
    Flag{"--json", "", kAsks | kDrains, "print the agent's JSON document instead of text"},
    Flag{"--endpoint", "URL", kAsks, "introspection endpoint of the agent (default http://127.0.0.1:51678)"},
    Flag{"--socket", "PATH", kDrains | kReads, "control socket (default /run/ecs-node-agent/control.sock)"},
    Flag{"--help", "", 0, "explain the command"},
};

std::string spelled(const Flag& flag) {
    return std::string(flag.name) + (flag.value.empty() ? std::string() : " " + std::string(flag.value));
}

std::string described(const Flag& flag) {
    std::string left = "  " + spelled(flag);
    left.resize(19, ' ');
    return left + std::string(flag.meaning) + "\n";
}

bool takes(const Command& command, const Flag& flag) { return flag.of == 0 || (flag.of & command.flags) != 0; }

/// The command with its own flags; without a command, what every one of them is called with.
std::string usage_line(const Command* command) {
    if (command == nullptr) return "usage: ecs-node COMMAND [ID] [FLAG]...";
    std::string line = "usage: ecs-node " + std::string(command->name) + (command->takes_id ? " ID" : "");
    for (const Flag& flag : kFlags) {
        if (flag.of != 0 && takes(*command, flag)) line += " [" + spelled(flag) + "]";
    }
    return line;
}

Error misuse(const Command* command, std::string what) {
    const std::string help = command == nullptr ? " (ecs-node --help lists the commands)" : "";
    return {.kind = ErrorKind::Malformed, .what = std::move(what) + "; " + usage_line(command) + help};
}

/// The flag that `argument` is or begins with ("--tail=10"), if it takes a value.
const Flag* flag_with_value(std::string_view argument) {
    for (const Flag& flag : kFlags) {
        const std::string_view rest = argument.starts_with(flag.name) ? argument.substr(flag.name.size()) : "-";
        if (!flag.value.empty() && (rest.empty() || rest.front() == '=')) return &flag;
    }
    return nullptr;
}

Result<void> take_value(Arguments& parsed, const Flag& flag, std::string value) {
    if (value.empty()) return Error{.kind = ErrorKind::Malformed, .what = std::string(flag.name) + " needs a value"};
    if (flag.name == "--tail") {
        parsed.tail = parse_integer(value);
        if (!parsed.tail || *parsed.tail < 0) {
            return Error{.kind = ErrorKind::Malformed, .what = "--tail \"" + value + "\" is no number of lines"};
        }
    } else if (flag.name == "--since") {
        if (!since_time(value, std::chrono::system_clock::now())) {
            return Error{.kind = ErrorKind::Malformed,
                         .what = "--since \"" + value +
                                 "\" is neither a span such as 10m nor a moment such as "
                                 "2026-02-03T04:05:06Z"};
        }
        parsed.since = std::move(value);
    } else {
        (flag.name == "--socket"      ? parsed.socket
         : flag.name == "--container" ? parsed.container
                                      : parsed.endpoint) = std::move(value);
    }
    return {};
}

}  // namespace

Result<Arguments> parse_arguments(std::span<const char* const> arguments) {
    Arguments parsed;
    const Command* command = nullptr;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--help" || argument == "-h") {
            parsed.help = true;
        } else if (argument == "--version") {
            parsed.verb = Verb::Version;
            return parsed;
        } else if (argument == "--json") {
            parsed.json = true;
        } else if (argument == "--wait") {
            parsed.wait = true;
        } else if (argument == "--tasks-only") {
            parsed.tasks_only = true;
        } else if (argument == "--follow" || argument == "-f") {
            parsed.follow = true;
        } else if (argument == "--timestamps" || argument == "-t") {
            parsed.timestamps = true;
        } else if (const Flag* flag = flag_with_value(argument)) {
            std::string value;
            if (argument.size() > flag->name.size()) {
                value = argument.substr(flag->name.size() + 1);
            } else if (i + 1 < arguments.size()) {
                value = arguments[++i];
            } else {
                return misuse(command, std::string(flag->name) + " needs a value: " + spelled(*flag));
            }
            if (auto taken = take_value(parsed, *flag, std::move(value)); !taken) {
                return misuse(command, taken.error().what);
            }
        } else if (argument.starts_with("-")) {
            return misuse(command, "unknown option \"" + std::string(argument) + "\"");
        } else if (command == nullptr) {
            if (argument == "help") {
                parsed.help = true;
                continue;
            }
            const auto* found =
                std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& c) { return c.name == argument; });
            if (found == kCommands.end()) return misuse(command, "unknown command \"" + std::string(argument) + "\"");
            command = found;
            parsed.verb = command->verb;
        } else if (command->takes_id && parsed.id.empty()) {
            parsed.id = argument;
        } else {
            return misuse(command, "unexpected argument \"" + std::string(argument) + "\"");
        }
    }
    if ((parsed.wait || parsed.tasks_only) && parsed.verb != Verb::Drain && !parsed.help) {
        return misuse(command, "--wait and --tasks-only belong to drain");
    }
    if (parsed.verb != Verb::Logs && !parsed.help &&
        (parsed.follow || parsed.timestamps || parsed.tail || !parsed.container.empty() || !parsed.since.empty())) {
        return misuse(command, "--container, --follow, --since, --tail and --timestamps belong to logs");
    }
    if (command == nullptr && !parsed.help) return misuse(command, "no command given");
    if (command != nullptr && command->takes_id && parsed.id.empty() && !parsed.help) {
        return misuse(command, std::string(command->name) + " needs the ID of a task; ecs-node tasks lists them");
    }
    return parsed;
}

std::string usage() {
    std::string text = usage_line(nullptr) +
                       "\n\nAsks the node agent of this machine, shows what tasks printed, and drains the machine.\n\n";
    for (const Command& command : kCommands) {
        std::string left = "  " + std::string(command.name) + (command.takes_id ? " ID" : "");
        left.resize(19, ' ');
        text += left + std::string(command.summary) + "\n";
    }
    text += "\n" + std::string(kId) + "\n";
    for (const Flag& flag : kFlags) text += described(flag);
    text += "\nWhich flags a command has: ecs-node COMMAND --help.";
    text += "\nExit codes: 0 answered (drain --wait: no task is left), 1 no answer, no such task or no log, 2 wrong usage.\n";
    return text;
}

std::string usage_of(Verb verb) {
    for (const Command& command : kCommands) {
        if (command.verb != verb) continue;
        std::string text = usage_line(&command) + "\n\n" + std::string(command.detail) + "\n" +
                           (command.takes_id ? std::string(kId) : std::string()) + "\n";
        for (const Flag& flag : kFlags) {
            if (takes(command, flag)) text += described(flag);
        }
        return text;
    }
    return usage();
}

}  // namespace nodeagent::cli
