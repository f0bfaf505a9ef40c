#include "agent/host_setup_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/base/log.hpp"
#include "agent/base/time_format.hpp"
#include "agent/client_options.hpp"
#include "agent/host_setup/report.hpp"
#include "agent/host_setup/settings_files.hpp"
#include "runtime/docker/default_bridge.hpp"

namespace nodeagent {

namespace {

using namespace std::chrono_literals;
using config::ContainerRuntime;

boost::asio::awaitable<void> ask(boost::asio::any_io_executor executor, runtime::docker::Options options,
                                 Result<std::string>& bridge) {
    bridge = co_await runtime::docker::ask_default_bridge(std::move(executor), std::move(options), 5s);
}

Result<std::string> docker_bridge(const config::Config& config, const config::Environment& environment) {
    boost::asio::io_context io;
    Result<std::string> bridge = Error{.what = "not asked"};
    boost::asio::co_spawn(io, ask(io.get_executor(), docker_options(environment, config), bridge),
                          boost::asio::detached);
    io.run();
    return bridge;
}

void add_once(std::vector<std::string>& all, const std::string& one) {
    if (!one.empty() && std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
}

void complain(const std::string& text) { std::fprintf(stderr, "ecs-node-agent: %s\n", text.c_str()); }

/// The configuration as far as it can be read: what is wrong elsewhere in it is the agent's to say.
config::Config read_configuration(const config::Environment& environment) {
    config::Surroundings surroundings;
    surroundings.blackhole_imds = true;
    config::Examination examination = config::examine(environment, surroundings);
    for (const std::string& warning : examination.loaded.warnings) {
        for (const char* ours : {"ECS_SKIP_LOCALHOST_TRAFFIC_FILTER", "ECS_ALLOW_OFFHOST_INTROSPECTION_ACCESS",
                                 "ECS_BRIDGE_BLOCK_IMDS", "ECS_RUNTIME"}) {
            if (warning.find(ours) != std::string::npos) complain(warning);
        }
    }
    return std::move(examination.loaded.config);
}

int check(const AskedWishes& asked) {
    const host_setup::Wanted wanted = host_setup::wanted(asked.wishes);
    const auto findings = host_setup::plan(wanted, host_setup::look(wanted, asked.wishes.ipv6)).findings;
    std::fputs(host_setup::report(findings).c_str(), stdout);
    const bool right = host_setup::all_right(findings);
    std::fputs(right ? "All is as it should be.\n"
                     : "To put it right: systemctl restart ecs, or "
                       "ecs-node-agent host-setup\n",
               stdout);
    return right ? 0 : 1;
}

int remove_all(host_setup::Wishes wishes) {
    wishes.remove = true;
    const host_setup::Applied applied = host_setup::apply(wishes);
    for (const std::string& line : applied.done) std::printf("%s\n", line.c_str());
    for (const std::string& problem : outcome_of(wishes, applied, {}).problems) complain(problem);
    if (auto forgotten = host_setup::forget_outcome(); !forgotten) complain(forgotten.error().what);
    const auto left = [](const host_setup::Finding& one) { return one.state == host_setup::State::Unwanted; };
    const bool gone = std::none_of(applied.findings.begin(), applied.findings.end(), left);
    return applied.errors.empty() && gone ? 0 : 1;
}

}  // namespace

AskedWishes host_setup_wishes(const config::Config& config, const config::Environment& environment) {
    AskedWishes asked;
    host_setup::Wishes& wishes = asked.wishes;
    wishes.localhost_filter = !config.skip_localhost_filter.enabled();
    wishes.offhost_introspection = config.allow_offhost_introspection.enabled();
    wishes.block_imds = config.bridge_block_imds.enabled();
    if (config.runtime != ContainerRuntime::Containerd) {
        const auto bridge = docker_bridge(config, environment);
        if (bridge) {
            add_once(wishes.bridges, *bridge);
        } else if (config.runtime == ContainerRuntime::Docker) {
            asked.silence = bridge.error().what;
            add_once(wishes.bridges, "docker0");
        }
    }
    if (config.runtime != ContainerRuntime::Docker) add_once(wishes.bridges, config.containerd_bridge);
    if (const auto before = host_setup::read_outcome()) {
        for (const std::string& bridge : before->bridges) {
            const bool still = std::find(wishes.bridges.begin(), wishes.bridges.end(), bridge) != wishes.bridges.end();
            if (!still) add_once(wishes.former_bridges, bridge);
        }
    }
    wishes = host_setup::completed_by_host(std::move(wishes));
    return asked;
}

host_setup::Outcome set_up_host(const config::Config& config, const config::Environment& environment) {
    AskedWishes asked = host_setup_wishes(config, environment);
    const host_setup::Applied applied = host_setup::apply(asked.wishes);
    host_setup::Outcome outcome = outcome_of(asked.wishes, applied, rfc3339_seconds(std::chrono::system_clock::now()));
    if (auto written = host_setup::write_outcome(outcome); !written)
        log::warn("what the host set-up left is not known to ecs-node status", {{"error", written.error().what}});
    return outcome;
}

int run_host_setup(const config::CommandLine& flags, const config::Environment& given) {
    const config::Environment environment = host_setup::with_settings_files(given);
    const config::Config config = read_configuration(environment);
    if (::geteuid() != 0) {
        complain("host-setup needs root: it reads and changes the packet filter");
        return 1;
    }
    AskedWishes asked = host_setup_wishes(config, environment);
    if (!asked.silence.empty() && flags.command != config::Command::HostSetupRemove)
        complain("Docker did not name its bridge, docker0 is assumed: " + asked.silence);
    if (flags.command == config::Command::HostSetupCheck) return check(asked);
    if (flags.command == config::Command::HostSetupRemove) return remove_all(std::move(asked.wishes));

    const host_setup::Applied applied = host_setup::apply(asked.wishes);
    for (const std::string& line : applied.done) std::printf("%s\n", line.c_str());
    const host_setup::Outcome outcome =
        outcome_of(asked.wishes, applied, rfc3339_seconds(std::chrono::system_clock::now()));
    for (const std::string& problem : outcome.problems) complain(problem);
    const auto written = host_setup::write_outcome(outcome);
    if (!written) complain(written.error().what);
    if (applied.done.empty() && outcome.problems.empty()) std::puts("All is as it should be.");
    return outcome.problems.empty() && written ? 0 : 1;
}

std::string host_setup_help() {
    return "usage: ecs-node-agent host-setup [--check | --remove]\n\n"
           "Gives this host what containers need to reach the agent, and what keeps others from it: packet filter\n"
           "rules, net.ipv4.conf.all.route_localnet, and without IPv4 routes one to 169.254.170.2. What is there\n"
           "already stays, copies of a rule go, rules of amazon-ecs-init are taken over. ecs-host-setup.service runs\n"
           "it before ecs.service starts, and takes it back when that is stopped.\n\n"
           "  --check   change nothing; print what should be and what is\n"
           "  --remove  take it back, and set route_localnet to its value for new interfaces\n"
           "  --help    print this text\n\n"
           "States that --check prints: ok; missing; duplicate, there more than once; misplaced, below a rule that it\n"
           "must precede; unwanted, and this agent's or amazon-ecs-init's; foreign, somebody else's rule about the\n"
           "agent's ports, left alone; other kind, in tables of the other iptables (nft, legacy); unknown.\n\n"
           "Settings are those of the environment, then of /etc/ecs/ecs.config and /var/lib/ecs/ecs.config:\n"
           "  ECS_SKIP_LOCALHOST_TRAFFIC_FILTER       true: no rule that keeps neighbours from 127.0.0.0/8\n"
           "  ECS_ALLOW_OFFHOST_INTROSPECTION_ACCESS  true: port 51678 open to the network\n"
           "  ECS_BRIDGE_BLOCK_IMDS                   true: no instance metadata for containers on a bridge\n"
           "  ECS_RUNTIME, DOCKER_HOST, ECS_CONTAINERD_BRIDGE   which bridge containers are on\n\n"
           "Exit codes: 0 all is as it should be, 1 it is not, and what is printed says why; 5 a flag nobody knows.\n";
}

}  // namespace nodeagent
