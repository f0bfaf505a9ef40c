#include "agent/cli/arguments.hpp"

#include <algorithm>
#include <array>

namespace nodeagent::cli {

namespace {

struct Command {
    std::string_view name;
    Verb verb;
    bool takes_id;
    std::string_view summary;
    std::string_view detail;
};

constexpr std::array kCommands{
    Command{"status", Verb::Status, false, "is the agent registered, connected, and how many tasks does it run",
            "Shows the cluster, the container instance, the sessions with ECS, the container runtime, task counts and "
            "what\n"
            "the agent itself uses."},
    Command{
        "tasks", Verb::Tasks, false, "the tasks on this machine",
        "One line per task: what ECS wants (DESIRED), what the runtime said last (KNOWN), what ECS last acknowledged\n"
        "(SENT), and what the task waits for."},
    Command{"task", Verb::Task, true, "one task with its containers",
            "Shows one task and a line per container with image, status, exit code, health, ports and errors."},
    Command{"why", Verb::Why, true, "what a task waits for, or why it stopped, in one sentence",
            "Says in one sentence what keeps the task from where ECS wants it, or why it stopped."},
    Command{"events", Verb::Events, false, "the latest status changes",
            "One line per status change of a task or container, newest last."},
    Command{
        "config", Verb::Config, false, "the settings in force and where each comes from",
        "Every setting with its effective value and source. Secrets are shown as <redacted>. \"not active\" marks a\n"
        "setting that is accepted and checked, but whose feature this build does not have."},
    Command{"drain", Verb::Drain, false, "stop all tasks and take no new ones",
            "Tells ECS that this instance is DRAINING, then stops every task in reverse dependency order with its own\n"
            "stop timeouts. New tasks are refused until ecs-node undrain, also after a restart of the agent.\n\n"
            "  --wait           print a line per second until no task is left\n"
            "  --tasks-only     do not tell ECS: it may place new tasks here, which are refused"},
    Command{"undrain", Verb::Undrain, false, "take tasks again after drain",
            "Tells ECS that this instance is ACTIVE. Tasks that drain has stopped stay stopped."},
};

constexpr std::string_view kId = "ID is a task ARN, a task id, or the beginning of one that fits one task only.\n";
constexpr std::string_view kOptions =
    "  --json           print the agent's JSON document instead of a table\n"
    "  --endpoint URL   introspection endpoint of the agent (default http://127.0.0.1:51678)\n"
    "  --socket PATH    control socket, for drain and undrain (default /run/ecs-node-agent/control.sock)\n"
    "  --help           explain the command\n";

Error misuse(std::string what) {
    return {.kind = ErrorKind::Malformed, .what = std::move(what) + "; see ecs-node --help"};
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
        } else if (argument == "--socket") {
            if (i + 1 == arguments.size()) return misuse("--socket needs a path");
            parsed.socket = arguments[++i];
        } else if (argument.starts_with("--socket=")) {
            parsed.socket = argument.substr(argument.find('=') + 1);
        } else if (argument == "--endpoint") {
            if (i + 1 == arguments.size()) return misuse("--endpoint needs a URL");
            parsed.endpoint = arguments[++i];
        } else if (argument.starts_with("--endpoint=")) {
            parsed.endpoint = argument.substr(argument.find('=') + 1);
        } else if (argument.starts_with("-")) {
            return misuse("unknown option \"" + std::string(argument) + "\"");
        } else if (command == nullptr) {
            if (argument == "help") {
                parsed.help = true;
                continue;
            }
            const auto* found =
                std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& c) { return c.name == argument; });
            if (found == kCommands.end()) return misuse("unknown command \"" + std::string(argument) + "\"");
            command = found;
            parsed.verb = command->verb;
        } else if (command->takes_id && parsed.id.empty()) {
            parsed.id = argument;
        } else {
            return misuse("unexpected argument \"" + std::string(argument) + "\"");
        }
    }
    if ((parsed.wait || parsed.tasks_only) && parsed.verb != Verb::Drain && !parsed.help) {
        return misuse("--wait and --tasks-only belong to drain");
    }
    if (command == nullptr && !parsed.help) return misuse("no command given");
    if (command != nullptr && command->takes_id && parsed.id.empty() && !parsed.help) {
        return misuse(std::string(command->name) + " needs the ID of a task; ecs-node tasks lists them");
    }
    return parsed;
}

std::string usage() {
    std::string text =
        "usage: ecs-node COMMAND [ID] [--json] [--endpoint URL]\n\nAsks the node agent of this machine, and drains "
        "it.\n\n";
    for (const Command& command : kCommands) {
        std::string left = "  " + std::string(command.name) + (command.takes_id ? " ID" : "");
        left.resize(19, ' ');
        text += left + std::string(command.summary) + "\n";
    }
    text += "\n" + std::string(kId) + "\n" + std::string(kOptions);
    text += "\nExit codes: 0 answered (drain --wait: no task is left), 1 no answer or no such task, 2 wrong usage.\n";
    return text;
}

std::string usage_of(Verb verb) {
    for (const Command& command : kCommands) {
        if (command.verb != verb) continue;
        return "usage: ecs-node " + std::string(command.name) + (command.takes_id ? " ID" : "") +
               " [--json] [--endpoint URL]\n\n" + std::string(command.detail) + "\n" +
               (command.takes_id ? std::string(kId) : std::string()) + "\n" + std::string(kOptions);
    }
    return usage();
}

}  // namespace nodeagent::cli
