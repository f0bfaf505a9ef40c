// The engine in this process: real store, real reporter, real clock; a runtime and a service that are scripted.

#include <filesystem>
#include <stdexcept>

#include <unistd.h>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/resident.hpp"
#include "agent/base/scope.hpp"
#include "agent/config/config.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/ecs/api_client.hpp"
#include "agent/ecs/state_reporter.hpp"
#include "agent/engine/event_log.hpp"
#include "agent/engine/spec/engine_auth.hpp"
#include "agent/engine/spec/registry_auth.hpp"
#include "agent/engine/sqlite_store.hpp"
#include "agent/engine/task_engine.hpp"
#include "tests/bench/scripted_runtime.hpp"
#include "tests/bench/scripted_service.hpp"
#include "tests/bench/soak_report.hpp"
#include "tests/fakes/fixed_credentials.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::soak {

namespace {

using namespace std::chrono_literals;

constexpr int kImages = 40;

config::Config soak_config() {
    config::Config config;
    config.cluster = "soak";
    config.region = "us-west-2";
    config.image_pull_behavior = config::ImagePullBehavior::PreferCached;
    config.task_cleanup_wait = 3s;
    config.task_cleanup_wait_jitter = 1s;
    config.image_cleanup_interval = 15s;  // so that images come and go too
    config.image_minimum_age = 5s;
    return config;
}

class ReporterSink final : public engine::StateSink {
  public:
    explicit ReporterSink(ecs::StateReporter& reporter) : reporter_(reporter) {}
    void submit(model::ContainerStateChange change) override { reporter_.submit(std::move(change)); }
    void submit(model::TaskStateChange change) override { reporter_.submit(std::move(change)); }

  private:
    ecs::StateReporter& reporter_;
};

class EngineSoak {
  public:
    explicit EngineSoak(SoakOptions options)
        : options_(std::move(options)),
          report_(options_, "engine on the scripted runtime"),
          source_({.seed = options_.seed, .cluster = "soak", .images = kImages, .host_path = directory_.path()}),
          reporter_(api_, snapshots_, clock_, io_.get_executor(), {.cluster = "soak", .filter = {}},
                    [this](model::StateChangeAck ack) { engine_->acknowledged(std::move(ack)); }),
          sink_(reporter_) {
        runtime_.inner().have_image("busybox:latest");
        for (int i = 0; i < kImages; ++i) runtime_.inner().offer_image("soak-image:" + std::to_string(i));
    }

    int run() {
        Scope scope(io_.get_executor());
        scope.spawn(live());
        io_.run();
        return exit_code_;
    }

  private:
    void make_engine() {
        engine::EngineParts parts{
            .shard = io_.get_executor(),
            .clock = clock_,
            .pool = pool_,
            .backend = runtime_,
            .store = *store_,
            .cgroups = nullptr,
            .credentials = credentials_,
            .registry_auth = *registry_auth_,
            .snapshots = snapshots_,
            .reports = sink_,
            .events = events_,
            .config = config_,
            .totals = {.cpu = 1 << 20, .memory = 1 << 20, .reserved_tcp = {22}, .reserved_udp = {}, .gpus = {}},
            .on_store_failure = [this](const Error& error) { ledger_.violation(error.what); }};
        engine_ = std::make_unique<engine::TaskEngine>(std::move(parts));
    }

    asio::awaitable<void> live() {
        store_ = std::make_unique<engine::SqliteStore>(io_.get_executor(), directory_.path());
        auto stored = co_await store_->load();
        if (!stored) throw std::runtime_error(stored.error().what);
        make_engine();
        (void)co_await engine_->start(*std::move(stored));
        (void)co_await engine_->runtime_ready();
        reporter_.start();
        trim_resident_set();
        const Gauges start = gauges();
        watch_.spawn(print_lines());
        watch_.spawn(stay_small());
        if (options_.trouble) watch_.spawn(make_trouble());
        co_await feed();
        co_await wait_for_the_last();
        watch_.cancel();
        co_await watch_.drain();
        co_await tasks_.drain();
        const Gauges end = co_await settled();
        report_.line(ledger_.tally(), end, ledger_);
        co_await shut_down();
        exit_code_ = report_.finish(ledger_, start, end);
    }

    asio::awaitable<void> feed() {
        const SteadyTime begin = clock_.now().steady;
        const auto pause =
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(1.0 / options_.rate));
        SteadyTime next = begin;
        for (std::uint64_t count = 0; options_.tasks == 0 || count < options_.tasks; ++count) {
            if (clock_.now().steady - begin >= options_.duration) break;
            tasks_.spawn(one_task(source_.next()));
            next += pause;
            co_await clock_.sleep_until(next);
        }
    }

    asio::awaitable<void> hand_over(nlohmann::json task, std::string desired) {
        task["desiredStatus"] = desired;
        auto decoded = decode<model::Task>(task.dump());
        if (!decoded) throw std::runtime_error(decoded.error().what);
        model::PayloadMessage payload;
        payload.message_id = std::to_string(++messages_);
        payload.tasks.push_back(std::make_shared<const model::Task>(*std::move(decoded)));
        const auto outcome = co_await engine_->accept(std::move(payload));
        if (!outcome.handled) ledger_.violation("a payload was not handled");
    }

    asio::awaitable<void> one_task(Workload workload) {
        const std::string arn = workload.arn();
        ledger_.begin(arn, workload.expected, clock_.now().steady);
        co_await hand_over(workload.task, "RUNNING");
        if (!workload.stop_after) co_return;
        if (*workload.stop_after > 0ms) {
            while (!ledger_.running(arn)) co_await clock_.sleep_for(50ms);
            co_await clock_.sleep_for(*workload.stop_after);
        }
        co_await hand_over(std::move(workload.task), "STOPPED");
    }

    asio::awaitable<void> wait_for_the_last() {
        const SteadyTime limit = clock_.now().steady + options_.patience + 30s;
        while (clock_.now().steady < limit) {
            const bool empty = ledger_.tally().alive() == 0 && engine_->tasks().empty();
            if (empty && reporter_.queued() == 0) co_return;
            co_await clock_.sleep_for(100ms);
        }
    }

    /// The reporter forgets a task's lane within half a minute; then the store is written out and memory given back.
    asio::awaitable<Gauges> settled() {
        co_await clock_.sleep_for(31s);
        ledger_.sweep(clock_.now().steady, 0s, options_.patience);
        trim_resident_set();
        co_return gauges();
    }

    asio::awaitable<void> shut_down() {
        report_.check("engine holds no task", engine_->tasks().empty(), std::to_string(engine_->tasks().size()));
        co_await engine_->stop(5s);
        co_await reporter_.stop(1s);
        co_await store_->drain();
        report_.check("no container left", runtime_.inner().containers.empty(),
                      std::to_string(runtime_.inner().containers.size()));
        report_.check("no volume left", runtime_.inner().volumes.empty(),
                      std::to_string(runtime_.inner().volumes.size()));
        runtime_.cancel();
        co_await runtime_.drain();
        engine_.reset();
        store_.reset();
        engine::SqliteStore again(io_.get_executor(), directory_.path());
        auto left = co_await again.load();
        const std::size_t rows = left ? left->tasks.size() : 1;
        report_.check("no task left in the store", left.has_value() && rows == 0,
                      left ? std::to_string(rows) + " tasks, " + std::to_string(left->images.size()) + " images"
                           : left.error().what);
        co_await again.drain();
    }

    [[nodiscard]] Gauges gauges() {
        Gauges now = process_gauges(::getpid());
        now.containers = static_cast<std::int64_t>(runtime_.inner().containers.size());
        now.volumes = static_cast<std::int64_t>(runtime_.inner().volumes.size());
        now.store_rows = static_cast<std::int64_t>(engine_->tasks().size());
        std::error_code failure;
        now.store_bytes = 0;
        for (const auto& file : std::filesystem::directory_iterator(directory_.path(), failure)) {
            if (file.is_regular_file()) now.store_bytes += static_cast<std::int64_t>(file.file_size());
        }
        return now;
    }

    asio::awaitable<void> print_lines() {
        for (;;) {
            co_await clock_.sleep_for(options_.line_every);
            ledger_.sweep(clock_.now().steady, 60s, options_.patience);
            report_.line(ledger_.tally(), gauges(), ledger_);
        }
    }

    /// As the agent does.
    asio::awaitable<void> stay_small() {
        std::size_t at_rest = resident_bytes();
        for (;;) {
            co_await clock_.sleep_for(10s);
            if (resident_bytes() <= at_rest + at_rest / 8) continue;
            trim_resident_set();
            at_rest = resident_bytes();
        }
    }

    /// The event stream breaks every minute or so, and the runtime goes away for some seconds every five.
    asio::awaitable<void> make_trouble() {
        for (int round = 1;; ++round) {
            co_await clock_.sleep_for(60s);
            if (round % 5 == 0) {
                runtime_.inner().go_away();
                co_await clock_.sleep_for(5s);
                runtime_.inner().come_back();
            } else {
                runtime_.inner().break_stream();
            }
        }
    }

    SoakOptions options_;
    fakes::TempDirectory directory_;
    SoakReport report_;
    WorkloadSource source_;
    Ledger ledger_;
    asio::io_context io_{1};
    SystemClock clock_;
    BlockingPool pool_{2};
    ScriptedRuntime runtime_{io_.get_executor(), clock_, options_.seed + 1};
    ScriptedService service_{ledger_, clock_, options_.seed + 2};
    fakes::FixedCredentials keys_;
    ecs::ApiClient api_{
        {.http = service_, .credentials = keys_, .clock = clock_},
        {.endpoint = "https://ecs.us-west-2.amazonaws.com", .region = "us-west-2", .user_agent = "soak"}};
    credentials::Registry credentials_;
    std::unique_ptr<engine::RegistryAuthSource> registry_auth_ =
        engine::make_registry_auth_source(engine::EngineAuth(), nullptr);
    model::SnapshotBoard snapshots_;
    engine::EventLog events_;
    config::Config config_ = soak_config();
    ecs::StateReporter reporter_;
    ReporterSink sink_;
    std::unique_ptr<engine::SqliteStore> store_;
    std::unique_ptr<engine::TaskEngine> engine_;
    Scope tasks_{io_.get_executor()};
    Scope watch_{io_.get_executor()};
    std::uint64_t messages_ = 0;
    int exit_code_ = 1;
};

}  // namespace

int soak_engine(const SoakOptions& options) {
    log::set_level(options.log ? log::Level::Info : log::Level::None);
    configure_allocator();
    return EngineSoak(options).run();
}

}  // namespace nodeagent::soak
