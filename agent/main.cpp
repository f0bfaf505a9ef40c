#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <span>
#include <string>

#include "agent/app.hpp"
#include "agent/base/resident.hpp"
#include "agent/commands.hpp"

int main(int argc, char** argv) {
    using nodeagent::config::Command;
    nodeagent::configure_allocator();
    nodeagent::raise_descriptor_limit();
    std::signal(SIGPIPE, SIG_IGN);

    const auto flags = nodeagent::config::parse_command_line(
        std::span<const char* const>(argv + 1, static_cast<std::size_t>(argc - 1)));
    if (!flags) {
        std::fprintf(stderr, "ecs-node-agent: %s\nTry: ecs-node-agent --help\n", flags.error().what.c_str());
        return 5;
    }
    const auto environment = nodeagent::config::environment_from(environ);
    if (flags->command == Command::Run) return nodeagent::run_agent(*flags, environment);
    return nodeagent::run_command(*flags, environment);
}
