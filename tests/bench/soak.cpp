// Tasks of every kind, started and stopped for as long as wanted; every state change is accounted for, and at the end
// nothing may be left.
//   soak [--rate 5] [--duration 3600] [--tasks N] [--seed 1] [--out FILE]
//   soak --agent build/release/ecs-node-agent --docker /var/run/docker.sock [--rate 1] [--duration 600] ...
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include "tests/bench/soak_report.hpp"

namespace {

int usage() {
    std::fputs(
        "usage: soak [--rate TASKS_PER_SECOND] [--duration SECONDS] [--tasks N] [--seed N] [--out FILE]\n"
        "            [--growth MIB] [--patience SECONDS] [--line SECONDS] [--no-trouble] [--log]\n"
        "            [--agent BINARY --docker SOCKET]\n"
        "Without --agent: the engine in this process on a scripted runtime; needs nothing.\n"
        "With it: the program on a Docker daemon that has busybox:latest; needs root and free ports 51678 and 51679.\n",
        stderr);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    nodeagent::soak::SoakOptions options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--log") {
            options.log = true;
            continue;
        }
        if (name == "--no-trouble") {
            options.trouble = false;
            continue;
        }
        if (i + 1 >= argc) return usage();
        const char* value = argv[++i];
        if (name == "--rate") {
            options.rate = std::atof(value);
        } else if (name == "--duration") {
            options.duration = std::chrono::seconds(std::atol(value));
        } else if (name == "--tasks") {
            options.tasks = std::strtoull(value, nullptr, 10);
        } else if (name == "--seed") {
            options.seed = std::strtoull(value, nullptr, 10);
        } else if (name == "--growth") {
            options.growth_limit_mib = std::atof(value);
        } else if (name == "--line") {
            options.line_every = std::chrono::seconds(std::atol(value));
        } else if (name == "--patience") {
            options.patience = std::chrono::seconds(std::atol(value));
        } else if (name == "--out") {
            options.out = value;
        } else if (name == "--agent") {
            options.agent = value;
        } else if (name == "--docker") {
            options.docker = value;
        } else {
            return usage();
        }
    }
    if (options.rate <= 0 || options.line_every.count() <= 0 || options.agent.empty() != options.docker.empty()) {
        return usage();
    }
    try {
        return options.agent.empty() ? nodeagent::soak::soak_engine(options) : nodeagent::soak::soak_agent(options);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "soak: %s\n", failure.what());
        return 1;
    }
}
