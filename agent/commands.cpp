#include "agent/commands.hpp"

#include <cstdio>

#include <boost/asio/co_spawn.hpp>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/version.hpp"
#include "agent/client_options.hpp"
#include "agent/config/report.hpp"
#include "agent/ecs/capabilities.hpp"
#include "agent/ecs/gpu_info.hpp"
#include "agent/ecs/host_facts.hpp"
#include "agent/engine/engine_state.hpp"
#include "agent/engine/pause_image.hpp"
#include "agent/host_check.hpp"
#include "agent/host_setup_command.hpp"
#include "agent/runtime_choice.hpp"
#include "agent/takeover/report.hpp"
#include "agent/taking_over.hpp"
#include "runtime/backend.hpp"

namespace nodeagent {

namespace {

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

int print_version() {
    print("Amazon ECS Agent:\n\tVersion: " + std::string(kAgentVersion) + "\n\tCommit: " + std::string(kAgentHash) +
          "\n\tDirty: true\n\tImplementation: ecs-node-agent " NODEAGENT_VERSION "\n");
    return 0;
}

asio::awaitable<void> probe(runtime::Backend& backend, Result<runtime::Capabilities>& found, std::string& reference) {
    found = co_await backend.probe();
    if (!found) co_return;
    const ReferenceContainer container = co_await find_reference_container(backend);
    reference = container.running;
}

/// What the settings name, asked once; with ECS_RUNTIME=auto what answers of the two.
struct Probed {
    std::string name;
    std::string address;
    Result<runtime::Capabilities> capabilities;
    std::string reference{};  ///< why this agent cannot take the reference's place now
};

Probed probe_one(config::ContainerRuntime which, const config::Environment& environment, const config::Config& config) {
    asio::io_context io;
    Probed probed{
        .name = which == config::ContainerRuntime::Containerd ? "containerd" : "Docker",
        .address = which == config::ContainerRuntime::Containerd ? config.containerd_address : config.docker_host,
        .capabilities = Error{.what = "not asked"}};
    auto runtime = make_runtime(which, io.get_executor(), environment, config);
    if (!runtime) {
        probed.capabilities = std::move(runtime).error();
        return probed;
    }
    Scope scope(io.get_executor());
    scope.spawn(probe(*runtime->backend, probed.capabilities, probed.reference));
    io.run();
    return probed;
}

Probed probe_runtime(const config::Environment& environment, const config::Config& config) {
    if (config.runtime != config::ContainerRuntime::Auto) return probe_one(config.runtime, environment, config);
    Probed docker = probe_one(config::ContainerRuntime::Docker, environment, config);
    if (docker.capabilities) return docker;
    Probed containerd = probe_one(config::ContainerRuntime::Containerd, environment, config);
    return containerd.capabilities ? containerd : docker;
}

int check_config(const config::CommandLine& flags, const config::Environment& environment) {
    const config::Examination examination = examine_configuration(flags, environment);
    print(config::check_report(examination));
    const config::Config& config = examination.loaded.config;
    const HostCheck data = check_data_directory(config.data_dir);
    const Probed probed = probe_runtime(environment, config);
    const HostCheck runtime = check_runtime(probed.name, probed.address, probed.capabilities);
    std::string label = probed.name;
    label.resize(16, ' ');
    print("\nThis host:\n  data directory  " + data.text + "\n  " + label + runtime.text + "\n");
    takeover::Report takeover;
    if (config.checkpoint) {
        const bool own_state = has_own_state(config.data_dir);
        takeover = takeover::report(config.data_dir, config.cluster, own_state, engine::random_identity());
    }
    print(takeover.text);
    if (!takeover.text.empty() && !probed.reference.empty()) {
        takeover.good = false;
        print("  " + probed.reference + " (the agent would end with 5); " +
              takeover::remedy(ErrorKind::Conflict, config.data_dir) + "\n");
    }
    // The agent waits for both. A runtime often comes later by itself; a data directory does not get better by itself.
    const bool good = data.good || !config.checkpoint;
    if (examination.problems.empty() && !good) print("The agent would wait for its data directory.\n");
    return examination.problems.empty() && good && takeover.good ? 0 : 1;
}

/// What registration would send, as name<TAB>value lines.
int print_attributes(const config::CommandLine& flags, const config::Environment& environment) {
    const config::Examination examination = examine_configuration(flags, environment);
    const config::Config& config = examination.loaded.config;
    const Probed probed = probe_runtime(environment, config);
    const Result<runtime::Capabilities>& found = probed.capabilities;
    if (!found) {
        std::fprintf(stderr, "ecs-node-agent: ask the container runtime at %s: %s\n", probed.address.c_str(),
                     found.error().what.c_str());
        return 1;
    }
    const auto host = ecs::read_host_facts();
    const auto gpus = ecs::read_gpu_info();
    const auto pause = engine::find_pause_program(engine::pause_program_places(engine::own_program()));
    const ecs::CapabilityInputs inputs{.config = config,
                                       .api_versions = found->api_versions,
                                       .volume_plugins = found->volume_plugins,
                                       .log_drivers = found->log_drivers,
                                       .task_limits = config.task_cpu_mem_limit.enabled(),
                                       .optimized_cpu = host && host->optimized_cpu,
                                       .gpu_driver_version = gpus && *gpus ? (*gpus)->driver_version : std::string(),
                                       .pause_image = pause.has_value()};
    for (const model::Attribute& attribute : ecs::capabilities(inputs))
        print(attribute.name + "\t" + attribute.value.value_or("") + "\n");
    return 0;
}

asio::awaitable<void> ask_health(net::HttpClient& http, std::string url, bool& answered) {
    net::HttpRequest request;
    request.method = "HEAD";
    request.url = std::move(url);
    request.total_timeout = std::chrono::seconds(25);
    request.use_proxy = false;
    const auto response = co_await http.send(std::move(request));
    answered = response.has_value();
    if (!response) std::fprintf(stderr, "%s\n", response.error().what.c_str());
}

int check_health(const config::Environment& environment) {
    const std::string configured = config::value_of(environment, "ECS_AGENT_HEALTHCHECK_HOST");
    const std::string host = configured.empty() ? "localhost" : configured;
    asio::io_context io;
    BlockingPool pool(1);
    net::CurlHttpClient http(pool, {});
    bool answered = false;
    asio::co_spawn(io, ask_health(http, "http://" + host + ":51678/v1/metadata", answered),
                   [](const std::exception_ptr&) {});
    io.run();
    return answered ? 0 : 1;
}

}  // namespace

std::string license_text() {
    return "ecs-node-agent " NODEAGENT_VERSION
           "\n\n"
           "Built with these libraries, each under its own licence:\n"
           "  Boost (Asio, Beast, System)   Boost Software License 1.0\n"
           "  websocketpp                   BSD 3-Clause\n"
           "  OpenSSL                       Apache License 2.0\n"
           "  libcurl                       curl licence (MIT style)\n"
           "  nlohmann/json                 MIT\n"
           "  SQLite                        public domain\n";
}

int run_command(const config::CommandLine& flags, const config::Environment& environment) {
    switch (flags.command) {
        case config::Command::Version: return print_version();
        case config::Command::License: print(license_text()); return 0;
        case config::Command::Healthcheck: return check_health(environment);
        case config::Command::Help: print(config::help_text("ecs-node-agent")); return 0;
        case config::Command::CheckConfig: return check_config(flags, environment);
        case config::Command::SettingsTable: print(config::settings_markdown()); return 0;
        case config::Command::WindowsService:
            std::fputs("-windows-service: this is the Linux agent\n", stderr);
            return 1;
        case config::Command::Attributes: return print_attributes(flags, environment);
        case config::Command::HostSetup:
        case config::Command::HostSetupCheck:
        case config::Command::HostSetupRemove: return run_host_setup(flags, environment);
        case config::Command::HostSetupHelp: print(host_setup_help()); return 0;
        case config::Command::Run: break;
    }
    return 1;
}

}  // namespace nodeagent
