#include "agent/app.hpp"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/aws_clients.hpp"
#include "agent/base/inbox.hpp"
#include "agent/base/log.hpp"
#include "agent/base/log_sinks.hpp"
#include "agent/base/resident.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/shard.hpp"
#include "agent/base/time_format.hpp"
#include "agent/base/version.hpp"
#include "agent/client_options.hpp"
#include "agent/cloudwatch_service.hpp"
#include "agent/container_requests.hpp"
#include "agent/draining_service.hpp"
#include "agent/ecs/state_reporter.hpp"
#include "agent/ecs_sessions.hpp"
#include "agent/ending.hpp"
#include "agent/endpoints.hpp"
#include "agent/engine/engine_state.hpp"
#include "agent/engine/event_log.hpp"
#include "agent/engine/memory_store.hpp"
#include "agent/engine/pause_image.hpp"
#include "agent/engine/sqlite_store.hpp"
#include "agent/engine/task_engine.hpp"
#include "agent/host.hpp"
#include "agent/host_setup_command.hpp"
#include "agent/host_setup_condition.hpp"
#include "agent/joining.hpp"
#include "agent/log_options.hpp"
#include "agent/report_gate.hpp"
#include "agent/runtime_choice.hpp"
#include "agent/saved_identity.hpp"
#include "agent/service_manager.hpp"
#include "agent/standing.hpp"
#include "agent/taking_over.hpp"
#include "agent/telemetry/agent_figures.hpp"
#include "agent/telemetry/collector.hpp"
#include "agent/telemetry_service.hpp"

namespace nodeagent {

namespace {

using namespace std::chrono_literals;

class App {
  public:
    App(config::Loaded loaded, const config::Environment& environment)
        : environment_(environment),
          settings_(std::move(loaded.settings)),
          config_(std::move(loaded.config)),
          aws_(environment_, config_, roles_, disk_pool_, clock_) {}

    int run() {
        life_.emplace(main_.executor());
        endings_.emplace(main_.executor());
        asio::signal_set signals(main_.context(), SIGINT, SIGTERM);
        signals.async_wait([this](const boost::system::error_code& failure, int number) {
            if (!failure) end({kExitOk, number == SIGTERM ? "SIGTERM" : "SIGINT"});
        });
        Scope outermost(main_.executor());
        outermost.spawn(live());
        main_.run();
        return exit_code_;
    }

  private:
    asio::awaitable<void> live() {
        life_->spawn(service_.keep_alive());
        life_->spawn(start());
        const Ending ending = co_await endings_->receive();
        service_.stopping(ending.why);
        exit_code_ = ending.exit_code;
        if (ending.exit_code == kExitOk) {
            log::info("stopping", {{"signal", ending.why}});
        } else {
            log::critical("the agent ends", {{"reason", ending.why}, {"exitCode", ending.exit_code}});
        }
        co_await stop();
        main_.stop();
    }

    /// Intake first, then the engine, then what it reported; containers keep running. All within 15 s, whatever hangs.
    asio::awaitable<void> stop() {
        using namespace asio::experimental::awaitable_operators;
        draining_.cancel();
        life_->cancel();
        co_await (life_->drain() || clock_.sleep_for(1s));
        bool saved = true;
        if (engine_) {
            auto engine = engine_->stop(5s);
            saved = co_await within(8s, std::move(engine));
        }
        if (reporter_) co_await reporter_->stop(200ms);
        if (durable_) {
            auto writers = durable_->drain();
            saved = co_await within(3s, std::move(writers)) && saved;
        }
        if (!saved) log::error("the agent ends before all its state is saved", {{"folder", config_.data_dir}});
        if (endpoints_) endpoints_->stop();
        if (cloudwatch_) {
            auto metrics = cloudwatch_->finish(1s);
            (void)co_await within(1500ms, std::move(metrics));
        }
        telemetry_.stop();
        log::flush(500ms);
        // State is durable. What may still run (a request to AWS holds its thread up to 42 s, a container's
        // question is answered across two shards) has nothing left to tell, and taking objects from under it would be
        // worse.
        std::_Exit(exit_code_);
    }

    /// Whether `work` ended within `limit`. It is not itself raced against the time: the end of a race cancels the
    /// loser and waits for it, and a blocked shard or disk hears of no cancellation.
    asio::awaitable<bool> within(std::chrono::nanoseconds limit, asio::awaitable<void> work) {
        using namespace asio::experimental::awaitable_operators;
        last_work_.spawn(std::move(work));
        co_await (last_work_.drain() || clock_.sleep_for(limit));
        co_return last_work_.size() == 0;
    }

    void end(Ending ending) { endings_->push(std::move(ending)); }

    asio::awaitable<void> start();
    asio::awaitable<void> set_up();
    void start_endpoints();
    void publish_to_cloudwatch();
    void make_store();
    asio::awaitable<bool> join(const runtime::Capabilities& capabilities, std::string restored_arn);
    void make_engine(const engine::StoredState& stored);
    asio::awaitable<void> begin_draining_service(engine::StoredState stored);
    asio::awaitable<void> open_sessions(runtime::Capabilities capabilities, engine::StoredState stored);
    asio::awaitable<void> locate();
    void session_changed(const ecs::SessionStatus& status);
    asio::awaitable<Result<credentials::AwsCredentials>> instance_credentials();
    asio::awaitable<telemetry::AgentFigures> ask_figures();
    asio::awaitable<telemetry::AgentFigures> figures();
    asio::awaitable<void> keep_small();

    config::Environment environment_;
    std::vector<config::EffectiveSetting> settings_;
    config::Config config_;
    SystemClock clock_;
    ServiceManager service_{environment_, clock_};
    Shard main_{"main"};
    BlockingPool disk_pool_{2};
    credentials::Registry roles_;
    AwsClients aws_;
    model::SnapshotBoard snapshots_;
    engine::EventLog events_;
    std::vector<std::string> pause_programs_ = engine::pause_program_places(engine::own_program());
    int exit_code_ = kExitOk;

    TelemetryService telemetry_{
        {.config = config_, .snapshots = snapshots_, .figures = [this] { return ask_figures(); }}};
    std::unique_ptr<CloudWatchService> cloudwatch_;
    std::optional<ContainerRequests> requests_;
    std::unique_ptr<Endpoints> endpoints_;
    Host host_;
    HostAddresses addresses_;
    std::unique_ptr<runtime::Backend> backend_;
    std::unique_ptr<engine::StateStore> store_;
    engine::SqliteStore* durable_ = nullptr;  ///< store_, when it is on disk
    std::optional<TakingOver> taking_over_;
    std::optional<SavedIdentity> identity_;
    std::unique_ptr<cgroups::TaskCgroups> cgroups_;
    ecs::Registered registered_;
    Standing standing_{registered_};
    std::unique_ptr<ecs::StateReporter> reporter_;
    std::optional<ReportGate> reports_;
    std::unique_ptr<engine::TaskEngine> engine_;
    DrainingService draining_{main_.executor()};
    std::unique_ptr<EcsSessions> sessions_;
    Scope last_work_{main_.executor()};
    std::optional<Inbox<Ending>> endings_;
    std::optional<Scope> life_;  ///< last: its coroutines use everything above
};

asio::awaitable<void> App::start() {
    co_await set_up();
    telemetry_.start();
    start_endpoints();
    service_.watch("telemetry", telemetry_.executor());
    service_.watch("endpoints", endpoints_->executor());
    auto unconfigured = co_await check_cloud_init(config_, aws_.imds);
    if (unconfigured) co_return end(*std::move(unconfigured));
    auto host = examine_host(config_);
    if (!host) co_return end(std::move(host).error());
    host_ = *std::move(host);

    std::function<void(std::string)> waiting = [this](std::string what) { service_.waiting_for(std::move(what)); };
    auto found = co_await find_runtime(main_.executor(), environment_, config_, clock_, std::move(waiting));
    if (!found) co_return end(std::move(found).error());
    backend_ = std::move(found->runtime.backend);
    standing_.runtime = found->runtime.name;
    const runtime::Capabilities capabilities = std::move(found->capabilities);
    endpoints_->runtime_found(capabilities.runtime, capabilities.version);
    telemetry_.docker_root(capabilities.data_root);

    make_store();
    service_.waiting_for("the saved state in " + config_.data_dir + " and this machine's identity");
    auto stored = co_await identity_->open();
    if (!stored) co_return end(std::move(stored).error());
    if (durable_ != nullptr) durable_->rewritten_from([known = *stored] { return known.put_all(); });
    const bool on_ec2 = !config_.external.enabled() && !identity_->ec2_instance_id().empty();
    telemetry_.on_ec2(on_ec2);
    warn_of_host_setup(host_setup_condition(host_setup::read_outcome(), on_ec2));
    auto cgroups = set_up_task_cgroups(config_, capabilities);
    if (!cgroups) co_return end(std::move(cgroups).error());
    cgroups_ = *std::move(cgroups);
    std::string restored_arn = stored->metadata_value(engine::kContainerInstanceArnKey);
    service_.waiting_for("ECS at " + aws_.ecs.endpoint + " to register this machine");
    const bool joined = co_await join(capabilities, std::move(restored_arn));
    if (!joined) co_return;

    if (config_.container_metadata.enabled() && !config_.external.enabled()) {
        addresses_ = co_await find_addresses(aws_.imds, config_.ipv6_only);
    }
    make_engine(*stored);
    engine::StoredState tasks = *stored;
    const auto taken_up = co_await engine_->start(std::move(tasks));
    if (!taken_up) co_return end({kExitTerminal, taken_up.error().what});
    if (durable_ != nullptr) durable_->rewritten_from([this] { return engine_->everything(); });
    if (!stored->tasks.empty()) log::info("saved tasks taken up", {{"tasks", stored->tasks.size()}});
    engine::StoredState drain = *stored;
    co_await begin_draining_service(std::move(drain));
    co_await open_sessions(capabilities, *std::move(stored));
    service_.ready(in_one_sentence(standing_));

    if (!config_.external.enabled()) life_->spawn(locate());
    co_await keep_small();
}

/// Where no unit did it before. A host that cannot be set up still runs tasks, so the outcome is told, not obeyed.
asio::awaitable<void> App::set_up() {
    if (!config_.host_setup) co_return;
    service_.waiting_for("the packet filter");
    (void)co_await disk_pool_.run([this] { return set_up_host(config_, environment_); });
}

/// Nothing waits for it.
asio::awaitable<void> App::locate() {
    const Location location = co_await find_location(aws_.imds);
    endpoints_->located(location.vpc_id, location.availability_zone_id);
}

void App::start_endpoints() {
    requests_.emplace(ContainerRequests::Parts{.main_shard = main_.executor(),
                                               .http = aws_.container_http,
                                               .clock = clock_,
                                               .agent_credentials = *aws_.provider,
                                               .ecs = aws_.ecs});
    Endpoints::Parts parts{
        .config = config_,
        .settings = settings_,
        .snapshots = snapshots_,
        .credentials = roles_,
        .events = events_,
        .stats = telemetry_.collector(),
        .tags = [this](std::string arn,
                       std::string container) { return requests_->tags(std::move(arn), std::move(container)); },
        .protection = [this](metadata::ProtectionCall call) { return requests_->protection(std::move(call)); },
        .drain = [this](metadata::DrainCall call) { return draining_.control(call); },
        .instance_credentials = [this] { return instance_credentials(); },
        .host = [this] { return telemetry_.host_conditions(); },
        .logs = log_surroundings(environment_, config_)};
    endpoints_ = std::make_unique<Endpoints>(std::move(parts));
    endpoints_->start();
}

void App::make_store() {
    if (config_.checkpoint) {
        auto durable = std::make_unique<engine::SqliteStore>(main_.executor(), config_.data_dir);
        durable_ = durable.get();
        store_ = std::move(durable);
    } else {
        store_ = std::make_unique<engine::MemoryStore>();
    }
    SavedIdentity::Parts parts{.store = *store_, .clock = clock_, .config = config_, .ec2_instance_id = {}};
    if (!config_.external.enabled()) parts.ec2_instance_id = [this] { return aws_.imds.instance_id(); };
    const std::string reference = takeover::file_in(config_.data_dir, takeover::kDatabaseFile);
    if (durable_ != nullptr) {
        taking_over_.emplace(TakingOver::Parts{.config = config_,
                                               .store = *store_,
                                               .pool = disk_pool_,
                                               .backend = *backend_,
                                               .docker = standing_.runtime == "Docker",
                                               .identity = engine::random_identity()});
        parts.taking_over = &*taking_over_;
    } else if (takeover::is_there(reference)) {
        log::warn("amazon-ecs-agent's state is not taken over, because ECS_CHECKPOINT is off", {{"file", reference}});
    }
    identity_.emplace(std::move(parts));
}

asio::awaitable<bool> App::join(const runtime::Capabilities& capabilities, std::string restored_arn) {
    JoinParts parts{.environment = environment_,
                    .config = config_,
                    .aws = aws_,
                    .clock = clock_,
                    .backend = *backend_,
                    .capabilities = capabilities,
                    .host = host_,
                    .task_limits = cgroups_ != nullptr,
                    .pause_programs = pause_programs_,
                    .ec2_instance_id = identity_->ec2_instance_id(),
                    .restored_arn = std::move(restored_arn)};
    auto joined = co_await join_cluster(std::move(parts));
    if (!joined) {
        end(std::move(joined).error());
        co_return false;
    }
    registered_ = *std::move(joined);
    config_.cluster = registered_.cluster;
    requests_->set_cluster(registered_.cluster);
    endpoints_->registered({.container_instance_arn = registered_.container_instance_arn,
                            .cluster = registered_.cluster,
                            .availability_zone = registered_.availability_zone});
    life_->spawn(identity_->save(registered_));
    publish_to_cloudwatch();
    co_return true;
}

void App::publish_to_cloudwatch() {
    const bool wanted = config_.cloudwatch_metrics != config::CloudWatchMetrics::Off;
    if (!wanted || config_.disable_metrics.enabled() || telemetry_.collector() == nullptr) return;
    cloudwatch_ = std::make_unique<CloudWatchService>(CloudWatchService::Parts{.main = main_.executor(),
                                                                               .telemetry = telemetry_.executor(),
                                                                               .config = config_,
                                                                               .collector = *telemetry_.collector(),
                                                                               .snapshots = snapshots_,
                                                                               .aws = aws_});
    cloudwatch_->start();
}

void App::make_engine(const engine::StoredState& stored) {
    reporter_ = std::make_unique<ecs::StateReporter>(
        aws_.api, snapshots_, clock_, main_.executor(),
        ecs::StateReporter::Options{
            .cluster = config_.cluster,
            .filter = {.ipv4_any = config_.ipv6_only, .ipv6_any = config_.exclude_ipv6_port_binding}},
        [this](model::StateChangeAck ack) { engine_->acknowledged(std::move(ack)); });
    reports_.emplace(*reporter_);
    reporter_->start();
    engine::EngineParts parts{.shard = main_.executor(),
                              .clock = clock_,
                              .pool = disk_pool_,
                              .backend = *backend_,
                              .store = *store_,
                              .cgroups = cgroups_.get(),
                              .credentials = roles_,
                              .registry_auth = *aws_.registry_auth,
                              .snapshots = snapshots_,
                              .reports = *reports_,
                              .events = events_,
                              .config = config_,
                              .totals = host_totals(host_, config_),
                              .pause_programs = pause_programs_,
                              .leftovers_before = parse_rfc3339(stored.metadata_value(engine::kLeftoversBeforeKey)),
                              .on_store_failure = [this](const Error& error) { identity_->not_saved(error); },
                              .services = &aws_.services,
                              .steps = telemetry_.steps(),
                              .machine = {.cluster = registered_.cluster,
                                          .container_instance_arn = registered_.container_instance_arn,
                                          .availability_zone = registered_.availability_zone,
                                          .private_ipv4 = addresses_.private_ipv4,
                                          .public_ipv4 = addresses_.public_ipv4,
                                          .ipv6 = addresses_.ipv6}};
    engine_ = std::make_unique<engine::TaskEngine>(std::move(parts));
}

asio::awaitable<void> App::begin_draining_service(engine::StoredState stored) {
    DrainingService::Parts parts{.clock = clock_,
                                 .store = *store_,
                                 .events = events_,
                                 .engine = *engine_,
                                 .api = aws_.api,
                                 .registered = registered_,
                                 .endpoints = *endpoints_,
                                 .imds = aws_.imds,
                                 .scope = *life_,
                                 .spot_interruptions = config_.spot_draining.enabled()};
    co_await draining_.begin(parts, std::move(stored));
}

asio::awaitable<void> App::open_sessions(runtime::Capabilities capabilities, engine::StoredState stored) {
    EcsSessions::Parts parts{.shard = main_.executor(),
                             .clock = clock_,
                             .environment = environment_,
                             .config = config_,
                             .aws = aws_,
                             .backend = *backend_,
                             .capabilities = std::move(capabilities),
                             .registered = registered_,
                             .engine = *engine_,
                             .store = *store_,
                             .reports = *reports_,
                             .roles = roles_,
                             .snapshots = snapshots_,
                             .statistics = telemetry_.collector(),
                             .scope = *life_,
                             .changed = [this](const ecs::SessionStatus& status) { session_changed(status); }};
    sessions_ = std::make_unique<EcsSessions>(std::move(parts));
    co_await sessions_->open(std::move(stored));
}

void App::session_changed(const ecs::SessionStatus& status) {
    endpoints_->session(status.connected, status.since);
    standing_.connected = status.connected;
    service_.now(in_one_sentence(standing_));
}

/// From the endpoints' shard.
asio::awaitable<Result<credentials::AwsCredentials>> App::instance_credentials() {
    auto work = aws_.provider->get();
    co_return co_await asio::co_spawn(main_.executor(), std::move(work), asio::use_awaitable);
}

/// From the telemetry shard.
asio::awaitable<telemetry::AgentFigures> App::ask_figures() {
    auto work = figures();
    co_return co_await asio::co_spawn(main_.executor(), std::move(work), asio::use_awaitable);
}

/// Of what is there by now: a scrape may come while the agent starts.
asio::awaitable<telemetry::AgentFigures> App::figures() {
    telemetry::AgentFigures now;
    now.cluster = config_.cluster;
    now.container_instance_arn = registered_.container_instance_arn;
    now.draining = draining_.draining();
    if (engine_) now.engine = engine_->figures();
    if (reporter_) now.submissions = reporter_->submissions();
    if (backend_) now.logs = backend_->log_figures();
    if (cloudwatch_) now.cloudwatch = cloudwatch_->counters();
    if (durable_ != nullptr) now.store_transactions = durable_->transactions();
    if (sessions_) {
        now.acs = sessions_->task_status();
        now.tcs = sessions_->telemetry_status();
    }
    co_return now;
}

/// Start-up and bursts of tasks leave pages behind that idling does not need.
asio::awaitable<void> App::keep_small() {
    std::size_t settled = 0;
    std::chrono::nanoseconds pause = 300ms;
    for (;;) {
        co_await clock_.sleep_for(pause);
        const bool telemetry_connected = sessions_->telemetry_connected();
        endpoints_->telemetry(telemetry_connected);
        standing_.runtime_reachable = engine_->runtime_answers();
        endpoints_->runtime_reachable(standing_.runtime_reachable);
        // who looks after an outage or a start sees the end of it at once
        pause = standing_.runtime_reachable && telemetry_connected ? 10s : 1s;
        service_.now(in_one_sentence(standing_));
        const std::size_t now = resident_bytes();
        if (settled == 0 || now > settled + settled / 8) {
            trim_resident_set();
            settled = resident_bytes();
        }
    }
}

int run_logged(const config::CommandLine& flags, const config::Environment& environment) {
    config::Examination examination = examine_configuration(flags, environment);
    const config::Config& config = examination.loaded.config;
    log::flush_on_fatal_signals();
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

}  // namespace

int run_agent(const config::CommandLine& flags, const config::Environment& environment) {
    const int exit_code = run_logged(flags, environment);
    log::flush(1s);
    return exit_code;
}

}  // namespace nodeagent
