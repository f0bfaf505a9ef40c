#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <span>
#include <thread>

#include "agent/cli/arguments.hpp"
#include "agent/cli/ask.hpp"
#include "agent/cli/drain.hpp"
#include "agent/cli/logs/logs.hpp"
#include "agent/cli/table.hpp"

namespace {

constexpr int kUnanswered = 1;
constexpr int kWrongUsage = 2;

int complain(const nodeagent::Error& error, int code) {
    std::fprintf(stderr, "ecs-node: %s\n", nodeagent::cli::printable(error.what).c_str());
    return code;
}

// A closed pipe ("ecs-node tasks | head") is no failure worth a word; a full disk is.
int print(const std::string& text) {
    const bool written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    return written ? 0 : kUnanswered;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace nodeagent;
    const auto arguments =
        cli::parse_arguments(std::span<const char* const>(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)));
    if (!arguments) return complain(arguments.error(), kWrongUsage);
    if (arguments->verb == cli::Verb::Version) return print("ecs-node " NODEAGENT_VERSION "\n");
    if (arguments->help) return print(cli::usage_of(arguments->verb));

    if (arguments->verb == cli::Verb::Drain || arguments->verb == cli::Verb::Undrain) {
        const cli::DrainTools tools{
            .call =
                [&arguments](const std::string& method, const std::string& target, const std::string& body) {
                    // telling ECS may take long
                    return cli::call_unix(arguments->socket, method, target, body, std::chrono::seconds(150));
                },
            .print = [](const std::string& text) { (void)print(text); },
            .pause = [] { std::this_thread::sleep_for(std::chrono::seconds(1)); }};
        const auto done = cli::drain(*arguments, tools);
        return done ? 0 : complain(done.error(), kUnanswered);
    }

    if (arguments->verb == cli::Verb::Logs) {
        return cli::show_logs(*arguments, config::environment_from(environ));
    }

    const auto endpoint = cli::parse_endpoint(arguments->endpoint);
    if (!endpoint) return complain(endpoint.error(), kWrongUsage);
    const auto answer = cli::ask(*arguments, [&endpoint](const std::string& target) {
        return cli::get(*endpoint, target, std::chrono::seconds(10));
    });
    if (!answer) return complain(answer.error(), kUnanswered);
    return print(*answer);
}
