#include "agent/app.hpp"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>

#include "agent/acs_adapter.hpp"
#include "agent/base/blocking_pool.hpp"
#include "agent/base/files.hpp"
#include "agent/base/inbox.hpp"
#include "agent/base/log.hpp"
#include "agent/base/log_sinks.hpp"
#include "agent/base/resident.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/shard.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/base/version.hpp"
#include "agent/client_options.hpp"
#include "agent/container_requests.hpp"
#include "agent/core/internal_containers.hpp"
#include "agent/credentials/chain.hpp"
#include "agent/credentials/imds.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/draining.hpp"
#include "agent/ecs/acs_session.hpp"
#include "agent/ecs/api_client.hpp"
#include "agent/ecs/capabilities.hpp"
#include "agent/ecs/doctor.hpp"
#include "agent/ecs/gpu_info.hpp"
#include "agent/ecs/host_facts.hpp"
#include "agent/ecs/instance_tags.hpp"
#include "agent/ecs/poll_endpoint.hpp"
#include "agent/ecs/registration.hpp"
#include "agent/ecs/state_reporter.hpp"
#include "agent/ecs/tcs_session.hpp"
#include "agent/endpoints.hpp"
#include "agent/engine/event_log.hpp"
#include "agent/engine/memory_store.hpp"
#include "agent/engine/pause_image.hpp"
#include "agent/engine/resources/service_access.hpp"
#include "agent/engine/spec/ecr_client.hpp"
#include "agent/engine/spec/ecr_tokens.hpp"
#include "agent/engine/spec/engine_auth.hpp"
#include "agent/engine/spec/registry_auth.hpp"
#include "agent/engine/sqlite_store.hpp"
#include "agent/engine/task_engine.hpp"
#include "agent/net/aws_endpoint.hpp"
#include "agent/net/curl_http_client.hpp"
#include "agent/net/ws_connection.hpp"
#include "agent/spot_action.hpp"
#include "agent/start_checks.hpp"
#include "cgroups/hierarchy.hpp"
#include "cgroups/task_cgroups.hpp"

namespace nodeagent {

namespace {

using namespace std::chrono_literals;

constexpr int kExitOk = 0;
constexpr int kExitRecoverable = 1;
constexpr int kExitTerminal = 5;

struct Ending {
    int exit_code = kExitOk;
    std::string why;
};

log::SinkOptions sink_options(const config::Config& config) {
    log::SinkOptions options;
    options.stream_level = config.log_level;
    options.file_level = config.log_level_on_instance;
    options.format = config.log_format;
    if (!config.log_file.empty()) options.file = log_file_options(config, config.log_file);
    return options;
}

/// The engine's reports go to the reporter, which is there before the engine is.
class ReportGate final : public engine::StateSink {
  public:
    explicit ReportGate(ecs::StateReporter& reporter) : reporter_(reporter) {}
    void submit(model::ContainerStateChange change) override { reporter_.submit(std::move(change)); }
    void submit(model::TaskStateChange change) override { reporter_.submit(std::move(change)); }

  private:
    ecs::StateReporter& reporter_;
};

asio::awaitable<void> stop_one(engine::TaskEngine& engine, std::string task_arn) {
    (void)co_await engine.stop_task(std::move(task_arn));
}

class App {
  public:
    App(config::Loaded loaded, const config::Environment& environment)
        : environment_(environment),
          settings_(std::move(loaded.settings)),
          config_(std::move(loaded.config)),
          http_pool_(16),
          container_pool_(2),
          fetch_pool_(6),
          disk_pool_(2),
          http_(http_pool_, curl_options(environment, config_.insecure_tls, config_.docker_host)),
          container_http_(container_pool_, curl_options(environment, config_.insecure_tls, config_.docker_host)),
          fetch_http_(fetch_pool_, curl_options(environment, config_.insecure_tls, config_.docker_host)),
          imds_(http_, clock_, credentials::imds_options(environment, config_.blackhole_imds)),
          provider_(credentials::make_provider(chain_options(), http_, imds_, disk_pool_, clock_)) {}

    int run() {
        life_.emplace(main_.executor());
        endings_.emplace(main_.executor());
        asio::signal_set signals(main_.context(), SIGINT, SIGTERM);
        signals.async_wait([this](const boost::system::error_code& failure, int number) {
            if (!failure) endings_->push({kExitOk, number == SIGTERM ? "SIGTERM" : "SIGINT"});
        });
        Scope outermost(main_.executor());
        outermost.spawn(live());
        main_.run();
        return exit_code_;
    }

  private:
    credentials::ChainOptions chain_options() const {
        credentials::ChainOptions options;
        options.environment = environment_;
        options.external = config_.external.enabled();
        options.alternate_profile = config_.alternate_credential_profile;
        return options;
    }

    asio::awaitable<void> live() {
        life_->spawn(start());
        const Ending ending = co_await endings_->receive();
        exit_code_ = ending.exit_code;
        if (ending.exit_code == kExitOk) {
            log::info("stopping", {{"signal", ending.why}});
        } else {
            log::critical("the agent ends", {{"reason", ending.why}, {"exitCode", ending.exit_code}});
        }
        co_await stop();
        main_.stop();
    }

    /// Intake first, then the engine, then what it reported; containers keep running.
    asio::awaitable<void> stop() {
        using namespace asio::experimental::awaitable_operators;
        if (draining_) draining_->cancel();
        life_->cancel();
        co_await (life_->drain() || clock_.sleep_for(1s));
        if (engine_) co_await engine_->stop(5s);
        if (reporter_) co_await reporter_->stop(200ms);
        if (durable_) co_await durable_->drain();
        if (endpoints_) endpoints_->stop();
        // All state is durable. What may still run (a request to AWS holds its thread up to 42 s, a container's
        // question is answered across two shards) has nothing left to tell, and taking objects from under it would be
        // worse.
        std::_Exit(exit_code_);
    }

    void end(int exit_code, std::string why) { endings_->push({exit_code, std::move(why)}); }

    asio::awaitable<void> start();
    asio::awaitable<bool> check_cloud_init();
    asio::awaitable<runtime::Capabilities> wait_for_runtime();
    asio::awaitable<std::optional<engine::StoredState>> open_state();
    asio::awaitable<Result<engine::StoredState>> load_when_possible();
    asio::awaitable<std::vector<ecs::Attachment>> take_attachments(engine::StoredState stored);
    void store_failed(const Error& error);
    bool prepare_cgroups(const runtime::Capabilities& capabilities);
    asio::awaitable<bool> register_instance(const runtime::Capabilities& capabilities, const std::string& restored_arn);
    asio::awaitable<bool> has_pause_image();
    asio::awaitable<void> save_identity();
    asio::awaitable<void> learn_location();
    void open_sessions(const runtime::Capabilities& capabilities, const engine::StoredState& stored,
                       std::vector<ecs::Attachment> attachments);
    asio::awaitable<Result<std::string>> discover(std::string model::PollEndpoints::*member);
    void session_changed(const ecs::SessionStatus& status);
    asio::awaitable<void> keep_small();
    void prepare_draining();
    asio::awaitable<Result<void>> tell_ecs(std::string instance_state);
    asio::awaitable<Result<metadata::DrainReport>> control(metadata::DrainCall call);
    asio::awaitable<Result<metadata::DrainReport>> control_here(metadata::DrainCall call);
    asio::awaitable<void> drain_on_spot_action();

    config::Environment environment_;
    std::vector<config::EffectiveSetting> settings_;
    config::Config config_;
    SystemClock clock_;
    Shard main_{"main"};
    BlockingPool http_pool_;
    BlockingPool container_pool_;  ///< what containers make us ask must not starve what we report
    BlockingPool fetch_pool_;      ///< nor what tasks have fetched: secrets, environment files
    BlockingPool disk_pool_;
    net::CurlHttpClient http_;
    net::CurlHttpClient container_http_;
    net::CurlHttpClient fetch_http_;
    credentials::Imds imds_;
    std::unique_ptr<credentials::Provider> provider_;
    credentials::Registry registry_;
    model::SnapshotBoard snapshots_;
    engine::EventLog events_;
    int exit_code_ = kExitOk;

    std::unique_ptr<runtime::Backend> backend_;
    std::unique_ptr<engine::StateStore> store_;
    engine::SqliteStore* durable_ = nullptr;  ///< store_, when it is on disk
    std::unique_ptr<cgroups::TaskCgroups> cgroups_;
    std::unique_ptr<ecs::ApiClient> api_;
    std::unique_ptr<engine::EcrApi> ecr_api_;
    std::unique_ptr<engine::EcrTokens> ecr_tokens_;
    std::unique_ptr<engine::RegistryAuthSource> registry_auth_;
    std::optional<engine::ServiceAccess> services_;
    std::optional<ContainerRequests> requests_;
    std::unique_ptr<Endpoints> endpoints_;
    std::string instance_id_;
    ecs::HostFacts host_;
    std::optional<ecs::GpuInfo> gpus_;
    std::vector<std::string> pause_programs_ = engine::pause_program_places(engine::own_program());
    ecs::Registered registered_;
    std::unique_ptr<ecs::StateReporter> reporter_;
    std::optional<ReportGate> reports_;
    std::unique_ptr<engine::TaskEngine> engine_;
    std::unique_ptr<Draining> draining_;
    std::unique_ptr<ecs::PollEndpointCache> poll_endpoints_;
    std::unique_ptr<ecs::Doctor> doctor_;
    std::unique_ptr<net::WsDialer> dialer_;
    std::unique_ptr<AcsAdapter> adapter_;
    std::unique_ptr<ecs::AcsConversation> conversation_;
    std::unique_ptr<ecs::TcsSession> telemetry_;
    std::unique_ptr<ecs::AcsSession> session_;
    std::optional<Inbox<Ending>> endings_;
    std::optional<Scope> life_;  ///< last: its coroutines use everything above
};

asio::awaitable<void> App::start() {
    auto ecs_endpoint = net::endpoint_options_from(environment_, "ecs");
    ecs_endpoint.explicit_url = config_.api_endpoint;
    ecs_endpoint.dualstack = ecs_endpoint.dualstack || config_.ipv6_only;
    const std::string ecs_url = net::resolve_endpoint("ecs", config_.region, ecs_endpoint);
    const std::string user_agent = agent_user_agent(config_.detailed_os_family);
    requests_.emplace(ContainerRequests::Parts{.main_shard = main_.executor(),
                                               .http = container_http_,
                                               .clock = clock_,
                                               .agent_credentials = *provider_,
                                               .ecs = {.endpoint = ecs_url,
                                                       .signing_name = "ecs",
                                                       .region = config_.region,
                                                       .target_prefix = "AmazonEC2ContainerServiceV20141113",
                                                       .user_agent = user_agent}});
    Endpoints::Parts parts{
        .config = config_,
        .settings = settings_,
        .snapshots = snapshots_,
        .credentials = registry_,
        .events = events_,
        .tags = [this](std::string arn,
                       std::string container) { return requests_->tags(std::move(arn), std::move(container)); },
        .protection = [this](metadata::ProtectionCall call) { return requests_->protection(std::move(call)); },
        .drain = [this](metadata::DrainCall call) { return control(call); }};
    endpoints_ = std::make_unique<Endpoints>(std::move(parts));
    endpoints_->start();

    const bool cloud_init_ok = co_await check_cloud_init();
    if (!cloud_init_ok)
        co_return end(
            kExitTerminal,
            "cloud-init found no data source although this instance has user data; its configuration is missing");

    auto host = ecs::read_host_facts();
    if (!host) co_return end(kExitRecoverable, host.error().what);
    host_ = *std::move(host);
    const auto resources = ecs::total_resources(host_, config_);
    if (!resources) co_return end(kExitRecoverable, resources.error().what);

    if (config_.gpu_support) {
        auto gpus = ecs::read_gpu_info();
        if (!gpus) co_return end(kExitRecoverable, gpus.error().what);
        gpus_ = *std::move(gpus);
        if (!gpus_) {
            log::error("ECS_ENABLE_GPU_SUPPORT is on, but this host's GPUs are not known; going on without them",
                       {{"missing", ecs::kGpuInfoPath}});
        }
    }

    auto backend = runtime::docker::make_backend(main_.executor(), docker_options(environment_, config_));
    if (!backend)
        co_return end(kExitRecoverable,
                      with_context("use Docker at " + config_.docker_host, std::move(backend).error()).what);
    backend_ = *std::move(backend);
    auto engine_auth = engine::EngineAuth::parse(config_.engine_auth_type, config_.engine_auth_data);
    if (!engine_auth) {
        // as in the reference: images of other registries must still run
        log::error("ECS_ENGINE_AUTH_DATA cannot be used; images are pulled without it",
                   {{"error", engine_auth.error().what}});
        engine_auth = engine::EngineAuth();
    }

    const runtime::Capabilities capabilities = co_await wait_for_runtime();
    auto stored = co_await open_state();
    if (!stored) co_return;
    if (durable_ != nullptr) durable_->rewritten_from([known = *stored] { return known.put_all(); });
    const bool limits = prepare_cgroups(capabilities);
    if (!limits && config_.task_cpu_mem_limit.explicitly_enabled()) co_return;

    const auto transport = net::AwsTransport{.http = http_, .credentials = *provider_, .clock = clock_};
    api_ = std::make_unique<ecs::ApiClient>(
        transport, ecs::ApiClient::Options{.endpoint = ecs_url, .region = config_.region, .user_agent = user_agent});
    ecr_api_ =
        std::make_unique<engine::EcrClient>(http_, clock_, net::endpoint_options_from(environment_, "ecr"), user_agent);
    ecr_tokens_ = std::make_unique<engine::EcrTokens>(*ecr_api_, *provider_, registry_, clock_);
    registry_auth_ = engine::make_registry_auth_source(*std::move(engine_auth), ecr_tokens_.get());
    services_.emplace(engine::ServiceAccess{.http = fetch_http_,
                                            .clock = clock_,
                                            .environment = environment_,
                                            .ipv6_only = config_.ipv6_only,
                                            .user_agent = user_agent});

    const std::string restored_arn = stored->metadata_value(engine::kContainerInstanceArnKey);
    const bool registered = co_await register_instance(capabilities, restored_arn);
    if (!registered) co_return;
    life_->spawn(save_identity());

    reporter_ = std::make_unique<ecs::StateReporter>(
        *api_, snapshots_, clock_, main_.executor(),
        ecs::StateReporter::Options{
            .cluster = config_.cluster,
            .filter = {.ipv4_any = config_.ipv6_only, .ipv6_any = config_.exclude_ipv6_port_binding}},
        [this](model::StateChangeAck ack) { engine_->acknowledged(std::move(ack)); });
    reports_.emplace(*reporter_);
    reporter_->start();

    core::HostTotals totals{.cpu = std::int64_t{1024} * host_.online_cpus,
                            .memory = host_.memory_mib - config_.reserved_memory,
                            .reserved_tcp = config_.reserved_ports,
                            .reserved_udp = config_.reserved_ports_udp,
                            .gpu_support = config_.gpu_support,
                            .gpus = gpus_ ? gpus_->ids : std::vector<std::string>()};
    engine::EngineParts engine_parts{
        .shard = main_.executor(),
        .clock = clock_,
        .pool = disk_pool_,
        .backend = *backend_,
        .store = *store_,
        .cgroups = cgroups_.get(),
        .credentials = registry_,
        .registry_auth = *registry_auth_,
        .snapshots = snapshots_,
        .reports = *reports_,
        .events = events_,
        .config = config_,
        .totals = std::move(totals),
        .pause_programs = pause_programs_,
        .leftovers_before = parse_rfc3339(stored->metadata_value(engine::kLeftoversBeforeKey)),
        .on_store_failure = [this](const Error& error) { store_failed(error); },
        .services = &*services_};
    engine_ = std::make_unique<engine::TaskEngine>(std::move(engine_parts));
    engine::StoredState tasks = *stored;
    const auto taken_up = co_await engine_->start(std::move(tasks));
    if (!taken_up) co_return end(kExitTerminal, taken_up.error().what);
    if (durable_ != nullptr) durable_->rewritten_from([this] { return engine_->everything(); });
    if (!stored->tasks.empty()) log::info("saved tasks taken up", {{"tasks", stored->tasks.size()}});
    engine::StoredState saved = *stored;
    auto attachments = co_await take_attachments(std::move(saved));
    prepare_draining();
    co_await draining_->resume(*stored);
    open_sessions(capabilities, *stored, std::move(attachments));
    co_await learn_location();
    co_await keep_small();
}

asio::awaitable<bool> App::check_cloud_init() {
    if (config_.external.enabled()) co_return true;
    const auto result = read_file("/var/lib/cloud/data/result.json");
    if (!result) co_return true;  // no cloud-init here, or not readable: not our judgement
    const auto user_data = co_await imds_.user_data();
    co_return !cloud_init_missed_user_data(*result, user_data ? *user_data : std::string());
}

/// Docker may start after us, or restart: tasks wait for it, the process does not give up.
asio::awaitable<runtime::Capabilities> App::wait_for_runtime() {
    Backoff backoff({.min = 250ms, .max = 30s, .jitter = 0.2, .multiplier = 1.5});
    bool told = false;
    for (;;) {
        auto found = co_await backend_->probe();
        if (found) {
            endpoints_->runtime_found(found->runtime, found->version);
            co_return *std::move(found);
        }
        if (!told) {
            log::error("the container runtime does not answer; waiting for it",
                       {{"endpoint", config_.docker_host},
                        {"error", found.error().what},
                        {"remedy", "systemctl start docker, or set DOCKER_HOST"}});
        }
        told = true;
        co_await clock_.sleep_for(backoff.next());
    }
}

/// A store that is held, full or closed to us may be free later; ending would only be repeated by what starts the
/// agent.
asio::awaitable<Result<engine::StoredState>> App::load_when_possible() {
    Backoff backoff({.min = 1s, .max = 30s, .jitter = 0.2, .multiplier = 1.5});
    std::string told;
    for (;;) {
        auto loaded = co_await store_->load();
        if (loaded) {
            if (!told.empty()) log::info("the saved state can be used now", {{"directory", config_.data_dir}});
            co_return loaded;
        }
        const Error failure = loaded.error();
        if (told != failure.what) {
            log::error("the saved state cannot be used; waiting until it can",
                       {{"error", failure.what}, {"remedy", state_remedy(failure.kind, config_.data_dir)}});
        }
        told = failure.what;
        co_await clock_.sleep_for(backoff.next());
    }
}

asio::awaitable<std::optional<engine::StoredState>> App::open_state() {
    if (config_.checkpoint) {
        auto durable = std::make_unique<engine::SqliteStore>(main_.executor(), config_.data_dir);
        durable_ = durable.get();
        store_ = std::move(durable);
    } else {
        store_ = std::make_unique<engine::MemoryStore>();
    }
    auto loaded = co_await load_when_possible();
    for (const std::string& damage : loaded->damaged)
        log::error("a saved record is damaged and was set aside", {{"record", damage}});
    if (!config_.external.enabled()) {
        auto instance_id = co_await imds_.instance_id();
        if (instance_id) instance_id_ = *std::move(instance_id);
    }
    switch (compare_identity(*loaded, config_.cluster, instance_id_)) {
        case Identity::OtherCluster:
            end(kExitTerminal, "the saved state in " + config_.data_dir + " belongs to cluster " +
                                   loaded->metadata_value(engine::kClusterKey) + ", but ECS_CLUSTER is " +
                                   (config_.cluster.empty() ? "default" : config_.cluster) +
                                   "; restore ECS_CLUSTER, or remove that directory to join as a new instance");
            co_return std::nullopt;
        case Identity::OtherMachine: {
            log::warn("the saved state is of another EC2 instance; starting fresh",
                      {{"saved", loaded->metadata_value(engine::kEc2InstanceIdKey)}, {"now", instance_id_}});
            // what the disk brought along is removed, not taken up: also if this agent is killed before that is done
            engine::StoredState fresh;
            fresh.metadata[std::string(engine::kLeftoversBeforeKey)] = rfc3339_nanos(clock_.now().wall);
            std::vector<engine::StoreChange> changes = loaded->forget_all();
            for (const auto& [key, text] : fresh.metadata) changes.push_back({engine::Shelf::Metadata, key, text});
            const auto cleared = co_await store_->commit(std::move(changes));
            if (!cleared) {
                end(kExitRecoverable, with_context("forget the saved state", cleared.error()).what);
                co_return std::nullopt;
            }
            co_return fresh;
        }
        case Identity::Fresh:
        case Identity::Same: break;
    }
    if (instance_id_.empty()) instance_id_ = loaded->metadata_value(engine::kEc2InstanceIdKey);
    co_return *std::move(loaded);
}

bool App::prepare_cgroups(const runtime::Capabilities& capabilities) {
    if (!config_.task_cpu_mem_limit.enabled()) return false;
    const auto driver = capabilities.systemd_cgroup_driver ? cgroups::Driver::Systemd : cgroups::Driver::Cgroupfs;
    Result<void> ready = [&]() -> Result<void> {
        auto hierarchy = cgroups::detect_hierarchy(config_.cgroup_path, driver);
        if (!hierarchy) return std::move(hierarchy).error();
        auto made = cgroups::make_task_cgroups({.hierarchy = *std::move(hierarchy), .bus_address = {}});
        if (!made) return std::move(made).error();
        cgroups_ = *std::move(made);
        return cgroups_->prepare();
    }();
    if (ready) return true;
    cgroups_.reset();
    if (config_.task_cpu_mem_limit.explicitly_enabled()) {
        end(kExitTerminal,
            with_context("set up task cgroups (ECS_ENABLE_TASK_CPU_MEM_LIMIT=true)", std::move(ready).error()).what);
    } else {
        log::warn("task-level CPU and memory limits are off", {{"reason", ready.error().what}});
    }
    return false;
}

asio::awaitable<bool> App::register_instance(const runtime::Capabilities& capabilities,
                                             const std::string& restored_arn) {
    ecs::RegistrationSources sources;
    const bool imds_off = !credentials::imds_options(environment_, config_.blackhole_imds).refusal.empty();
    if (!config_.no_instance_identity && !imds_off) {
        sources.identity_document = [this] { return imds_.identity_document(); };
        sources.identity_signature = [this] { return imds_.identity_signature(); };
    }
    std::unique_ptr<net::AwsClient> ec2;
    if (config_.propagate_tags_from == config::PropagateTags::Ec2Instance) {
        const auto endpoint =
            net::resolve_endpoint("ec2", config_.region, net::endpoint_options_from(environment_, "ec2"));
        ec2 = std::make_unique<net::AwsClient>(
            net::AwsTransport{.http = http_, .credentials = *provider_, .clock = clock_},
            net::AwsService{.endpoint = endpoint,
                            .signing_name = "ec2",
                            .region = config_.region,
                            .target_prefix = {},
                            .user_agent = agent_user_agent(config_.detailed_os_family)},
            net::standard_retries(5));
        sources.instance_tags = [&client = *ec2, id = instance_id_] { return ecs::describe_instance_tags(client, id); };
    }
    const bool pause_image = co_await has_pause_image();
    ecs::CapabilityInputs capability_inputs{.config = config_,
                                            .api_versions = capabilities.api_versions,
                                            .volume_plugins = capabilities.volume_plugins,
                                            .task_limits = cgroups_ != nullptr,
                                            .optimized_cpu = host_.optimized_cpu,
                                            .gpu_driver_version = gpus_ ? gpus_->driver_version : std::string(),
                                            .pause_image = pause_image};
    ecs::RegistrationInputs inputs{.config = config_,
                                   .host = host_,
                                   .capabilities = ecs::capabilities(capability_inputs),
                                   .restored_arn = restored_arn,
                                   .gpu_ids = gpus_ ? std::optional(gpus_->ids) : std::nullopt,
                                   .outpost_arn = {}};
    ecs::Registration registration(*api_, *provider_, clock_, std::move(sources));
    auto outcome = co_await registration.run(std::move(inputs));
    if (!outcome) {
        const auto failure = outcome.error();
        end(failure.exit_code, with_context("register this machine as a container instance", failure.error).what);
        co_return false;
    }
    registered_ = *std::move(outcome);
    config_.cluster = registered_.cluster;
    requests_->set_cluster(registered_.cluster);
    log::info("registered", {{"containerInstance", registered_.container_instance_arn},
                             {"cluster", registered_.cluster},
                             {"again", !restored_arn.empty()}});
    endpoints_->registered({.container_instance_arn = registered_.container_instance_arn,
                            .cluster = registered_.cluster,
                            .availability_zone = registered_.availability_zone});
    co_return true;
}

/// Tasks may share namespaces when the image of pause containers is there, or can be made.
asio::awaitable<bool> App::has_pause_image() {
    const auto program = engine::find_pause_program(pause_programs_);
    if (program) co_return true;
    const auto image = co_await backend_->inspect_image(std::string(core::kPauseImage));
    if (!image) {
        log::warn("tasks with pidMode or ipcMode `task` cannot run here: there is no pause image and none can be made",
                  {{"image", std::string(core::kPauseImage)}, {"cause", program.error().what}});
    }
    co_return image.has_value();
}

asio::awaitable<void> App::save_identity() {
    std::vector<engine::StoreChange> changes;
    const auto keep = [&](std::string_view key, const std::string& text) {
        changes.push_back({.shelf = engine::Shelf::Metadata, .key = std::string(key), .text = text});
    };
    keep(engine::kAgentVersionKey, std::string(kAgentVersion));
    keep(engine::kAvailabilityZoneKey, registered_.availability_zone);
    keep(engine::kClusterKey, registered_.cluster);
    keep(engine::kContainerInstanceArnKey, registered_.container_instance_arn);
    keep(engine::kEc2InstanceIdKey, instance_id_);
    Backoff backoff({.min = 1s, .max = 30s, .jitter = 0.2, .multiplier = 1.5});
    for (bool told = false;; told = true) {
        std::vector<engine::StoreChange> copy = changes;
        const auto saved = co_await store_->commit(std::move(copy));
        if (saved) co_return;
        if (!told) {
            log::error("the instance's identity cannot be saved; until it is, a restart registers a new instance",
                       {{"error", saved.error().what}, {"remedy", state_remedy(saved.error().kind, config_.data_dir)}});
        }
        co_await clock_.sleep_for(backoff.next());
    }
}

/// VPC, subnet and zone id appear in metadata documents only; nothing waits for them.
asio::awaitable<void> App::learn_location() {
    if (config_.external.enabled()) co_return;
    std::string vpc;
    std::string zone_id;
    const auto mac = co_await imds_.mac();
    if (mac) {
        const auto found = co_await imds_.vpc_id(*mac);
        if (found) vpc = *found;
    }
    const auto zone = co_await imds_.availability_zone_id();
    if (zone) zone_id = *zone;
    endpoints_->located(vpc, zone_id);
}

/// Every task waits by itself until it can be saved, and nothing happens that is not recorded.
void App::store_failed(const Error& error) {
    log::critical("state cannot be saved; work waits until it can",
                  {{"error", error.what}, {"remedy", state_remedy(error.kind, config_.data_dir)}});
}

asio::awaitable<std::vector<ecs::Attachment>> App::take_attachments(engine::StoredState stored) {
    SavedAttachments found = saved_attachments(stored);
    for (const std::string& key : found.damaged) {
        log::error("a saved attachment cannot be read and was set aside", {{"attachment", key}});
        std::string record = key;
        (void)co_await store_->set_aside(engine::Shelf::Metadata, std::move(record), "not an attachment");
    }
    co_return std::move(found.attachments);
}

void App::open_sessions(const runtime::Capabilities& capabilities, const engine::StoredState& stored,
                        std::vector<ecs::Attachment> attachments) {
    poll_endpoints_ = std::make_unique<ecs::PollEndpointCache>(*api_, clock_, main_.executor(), config_.cluster);
    doctor_ = std::make_unique<ecs::Doctor>(
        [this](std::chrono::nanoseconds deadline) { return backend_->ping(deadline); }, clock_);
    const auto tls = curl_options(environment_, config_.insecure_tls, config_.docker_host);
    dialer_ = std::make_unique<net::WsDialer>(
        net::WsDialer::Options{.tls = {.ca_file = tls.ca_file, .ca_dir = tls.ca_dir, .insecure = tls.insecure},
                               .proxy = tls.proxy,
                               .deadlines = {}});

    const ecs::SessionIdentity identity{.cluster = config_.cluster,
                                        .container_instance_arn = registered_.container_instance_arn,
                                        .region = config_.region,
                                        .agent_version = std::string(kAgentVersion),
                                        .agent_hash = std::string(kAgentHash),
                                        .runtime_version = capabilities.version,
                                        .containerd = capabilities.runtime == "containerd"};
    telemetry_ = std::make_unique<ecs::TcsSession>(
        main_.executor(),
        ecs::TcsSession::Options{.identity = identity,
                                 .metrics_disabled = config_.disable_metrics.enabled(),
                                 .health_disabled = config_.disable_docker_health_check.enabled(),
                                 .source = nullptr,
                                 .board = &snapshots_,
                                 .doctor = doctor_.get()},
        clock_, *dialer_, *provider_, [this]() { return discover(&model::PollEndpoints::telemetry_endpoint); });

    adapter_ =
        std::make_unique<AcsAdapter>(AcsAdapter::Parts{.engine = *engine_,
                                                       .store = *store_,
                                                       .reports = *reports_,
                                                       .registry = registry_,
                                                       .scope = *life_,
                                                       .on_heartbeat = [this] { life_->spawn(doctor_->check()); }});
    const std::string saved_sequence = stored.metadata_value(engine::kManifestSequenceKey);
    const bool restored = !stored.metadata_value(engine::kContainerInstanceArnKey).empty();
    const auto sequence = parse_integer(saved_sequence);
    conversation_ = std::make_unique<ecs::AcsConversation>(*adapter_, registry_, clock_,
                                                           sequence   ? *sequence
                                                           : restored ? 0
                                                                      : -1);
    for (ecs::Attachment& attachment : attachments)
        conversation_->attachments().restore(std::move(attachment), clock_.now());

    session_ = std::make_unique<ecs::AcsSession>(
        main_.executor(),
        ecs::AcsSession::Options{
            .identity = identity,
            .instance_inactive = [this] { telemetry_->disconnect("the container instance is inactive"); },
            .changed = [this](const ecs::SessionStatus& status) { session_changed(status); }},
        clock_, *dialer_, *provider_, [this]() { return discover(&model::PollEndpoints::endpoint); }, *conversation_);
    life_->spawn(doctor_->check());
    life_->spawn(session_->run());
    life_->spawn(telemetry_->run());
}

asio::awaitable<Result<std::string>> App::discover(std::string model::PollEndpoints::*member) {
    auto endpoints = co_await poll_endpoints_->get(registered_.container_instance_arn);
    if (!endpoints) co_return std::move(endpoints).error();
    std::string found = (*endpoints).*member;
    if (found.empty())
        co_return Error{.kind = ErrorKind::NotFound, .what = "DiscoverPollEndpoint named no endpoint of this kind"};
    co_return found;
}

void App::session_changed(const ecs::SessionStatus& status) { endpoints_->session(status.connected, status.since); }

void App::prepare_draining() {
    DrainParts parts{.shard = main_.executor(),
                     .clock = clock_,
                     .store = *store_,
                     .events = events_,
                     .tell_ecs = [this](std::string state) { return tell_ecs(std::move(state)); },
                     .refuse_new_tasks = [this](std::string why) { engine_->refuse_new_tasks(std::move(why)); },
                     .tasks_left = [this] { return engine_->unstopped(); },
                     .stop_task = [this](std::string arn) { return stop_one(*engine_, std::move(arn)); },
                     .longest_stop = [this]() -> std::chrono::nanoseconds { return engine_->longest_stop(); },
                     .changed = [this] { endpoints_->draining(draining_->status()); }};
    draining_ = std::make_unique<Draining>(std::move(parts));
    if (config_.spot_draining.enabled()) life_->spawn(drain_on_spot_action());
}

asio::awaitable<Result<void>> App::tell_ecs(std::string instance_state) {
    model::UpdateContainerInstancesStateRequest request;
    request.cluster = config_.cluster;
    request.container_instances = {registered_.container_instance_arn};
    request.status = std::move(instance_state);
    const auto told = co_await api_->update_container_instances_state(std::move(request));
    if (!told) co_return net::to_error("update container instances state", told.error());
    co_return Result<void>{};
}

/// On the endpoints' shard.
asio::awaitable<Result<metadata::DrainReport>> App::control(metadata::DrainCall call) {
    auto work = control_here(call);
    co_return co_await asio::co_spawn(main_.executor(), std::move(work), asio::use_awaitable);
}

asio::awaitable<Result<metadata::DrainReport>> App::control_here(metadata::DrainCall call) {
    if (!draining_) {
        co_return Error{.kind = ErrorKind::Unavailable,
                        .what = "the agent has not registered yet and can drain nothing; ecs-node status"};
    }
    Result<void> done;
    switch (call) {
        case metadata::DrainCall::Ask: break;
        case metadata::DrainCall::Begin: done = co_await draining_->begin(false); break;
        case metadata::DrainCall::BeginTasksOnly: done = co_await draining_->begin(true); break;
        case metadata::DrainCall::End: done = co_await draining_->end(); break;
    }
    if (!done) co_return done.error();
    co_return draining_->status();
}

asio::awaitable<void> App::drain_on_spot_action() {
    AskSpotAction ask = [this] { return imds_.spot_instance_action(); };
    SpotAction action = co_await wait_for_spot_action(std::move(ask), clock_);
    co_await draining_->spot(std::move(action));
}

/// Start-up and bursts of tasks leave pages behind that idling does not need.
asio::awaitable<void> App::keep_small() {
    std::size_t settled = 0;
    for (;;) {
        co_await clock_.sleep_for(settled == 0 ? std::chrono::nanoseconds(300ms) : std::chrono::nanoseconds(10s));
        endpoints_->telemetry(telemetry_->status().connected);
        endpoints_->runtime_reachable(engine_->runtime_reachable());
        const std::size_t now = resident_bytes();
        if (settled == 0 || now > settled + settled / 8) {
            trim_resident_set();
            settled = resident_bytes();
        }
    }
}

}  // namespace

int run_agent(const config::CommandLine& flags, const config::Environment& environment) {
    config::Examination examination = examine_configuration(flags, environment);
    const config::Config& config = examination.loaded.config;
    if (const auto logging = log::install_sinks(sink_options(config)); !logging)
        log::warn("logging to the stream only", {{"error", logging.error().what}});
    for (const std::string& warning : examination.loaded.warnings) log::warn(warning);
    for (const std::string& problem : examination.problems)
        log::critical("the configuration cannot be used", {{"problem", problem}});
    if (!examination.problems.empty()) {
        log::critical("not starting; ecs-node-agent --check-config shows every setting with its source");
        return kExitRecoverable;
    }
    log::info("ecs-node-agent starts", {{"version", NODEAGENT_VERSION}, {"speaksAs", agent_version_text()}});
    return App(std::move(examination.loaded), environment).run();
}

}  // namespace nodeagent
