#pragma once
// The real engine on a fake runtime, a store in memory, a sink that answers like ECS, and a clock turned by hand.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "agent/base/blocking_pool.hpp"
#include "agent/config/config.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/engine/event_log.hpp"
#include "agent/engine/resources/service_access.hpp"
#include "agent/engine/spec/registry_auth.hpp"
#include "agent/engine/task_engine.hpp"
#include "tests/fakes/fake_backend.hpp"
#include "tests/fakes/flaky_store.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/fakes/recording_sink.hpp"

namespace nodeagent::engine {

using model::ContainerStatus;
using model::TaskStatus;

inline constexpr const char* kArn = "arn:aws:ecs:us-west-2:123456789012:task/prod/0123456789abcdef0123456789abcdef";

inline std::string arn_of(int number) {
    const std::string digits = std::to_string(number);
    return "arn:aws:ecs:us-west-2:123456789012:task/prod/" + std::string(32 - digits.size(), '0') + digits;
}

inline model::Container container(std::string name, std::string image = "busybox:latest", bool essential = true) {
    model::Container made;
    made.name = std::move(name);
    made.image = std::move(image);
    made.essential = essential;
    made.cpu = 10;
    made.memory = 16;
    return made;
}

inline model::Task task(std::string arn, std::vector<model::Container> containers,
                        std::string desired_status = "RUNNING") {
    model::Task made;
    made.arn = std::move(arn);
    made.family = "fam";
    made.version = "7";
    made.desired_status = std::move(desired_status);
    made.containers = std::move(containers);
    return made;
}

inline model::PayloadMessage payload(std::vector<model::Task> tasks) {
    model::PayloadMessage made;
    made.message_id = "m1";
    for (model::Task& one : tasks) made.tasks.push_back(std::make_shared<const model::Task>(std::move(one)));
    return made;
}

class AnonymousPulls final : public RegistryAuthSource {
  public:
    asio::awaitable<RegistryAuthResult> find(RegistryAuthRequest) override {
        if (failure) co_return *failure;
        runtime::RegistryAuth nobody;
        co_return nobody;
    }
    std::optional<core::NamedError> failure;
};

class EngineFixture : public testing::Test {
  protected:
    EngineFixture() {
        config.cluster = "prod";
        config.region = "us-west-2";
        config.image_pull_behavior = config::ImagePullBehavior::PreferCached;
        config.task_cleanup_wait = std::chrono::minutes(10);
        backend.have_image("busybox:latest");
        sink.acknowledge = [this](model::StateChangeAck ack) {
            if (answering) engine->acknowledged(std::move(ack));
        };
    }
    ~EngineFixture() override {
        if (engine) stop();
    }

    void start() {
        EngineParts parts{.shard = io.get_executor(),
                          .clock = clock,
                          .pool = pool,
                          .backend = backend,
                          .store = store,
                          .cgroups = task_cgroups,
                          .credentials = credentials,
                          .registry_auth = registry_auth,
                          .snapshots = snapshots,
                          .reports = sink,
                          .events = events,
                          .config = config,
                          .totals = totals,
                          .pause_programs = pause_programs,
                          .leftovers_before = leftovers_before,
                          .on_store_failure = [this](const Error& error) { store_failures.push_back(error.what); },
                          .disk_use = [this](std::string) { return look_at_disk(); },
                          .services = services};
        engine = std::make_unique<TaskEngine>(std::move(parts));
        Result<StoredState> stored = run(store.load());
        started = run(engine->start(*std::move(stored)));
    }
    asio::awaitable<Result<core::DiskUse>> look_at_disk() { co_return disk(); }
    void stop() {
        run(engine->stop(std::chrono::seconds(5)));
        engine.reset();
        settle();
    }
    /// The agent ends and another one takes over its store.
    void restart() {
        stop();
        start();
    }

    /// What the coroutine gives, if it ends without the clock being turned; nothing otherwise.
    template <class T>
    std::optional<T> try_run(asio::awaitable<T> work) {
        auto result = std::make_shared<std::optional<T>>();
        asio::co_spawn(io, std::move(work), [result](const std::exception_ptr& failure, T value) {
            if (!failure) *result = std::move(value);
        });
        settle();
        return std::move(*result);
    }
    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> result = try_run(std::move(work));
        if (!result) throw std::runtime_error("the coroutine waits for something that does not come");
        return *std::move(result);
    }
    void run(asio::awaitable<void> work) {
        bool done = false;
        asio::co_spawn(io, std::move(work), [&done](const std::exception_ptr&) { done = true; });
        settle();
        if (!done) throw std::runtime_error("the coroutine waits for something that does not come");
    }
    PayloadOutcome accept(std::vector<model::Task> tasks) { return run(engine->accept(payload(std::move(tasks)))); }

    /// Everything that can happen now has happened, on worker threads too.
    void settle() {
        do {
            fakes::run_until_idle(io);
            while (pool.busy() > 0) std::this_thread::yield();
        } while (io.poll() > 0);
    }
    void advance(std::chrono::nanoseconds by) {
        clock.advance(by);
        settle();
    }
    /// Turns the clock from one sleeper to the next until `by` has passed.
    void live_through(std::chrono::nanoseconds by) {
        const SteadyTime end = clock.now().steady + by;
        while (clock.now().steady < end) {
            const std::chrono::nanoseconds left = end - clock.now().steady;
            const auto next = clock.until_next();
            advance(next ? std::min(left, std::max<std::chrono::nanoseconds>(*next, std::chrono::milliseconds(1)))
                         : left);
        }
    }

    [[nodiscard]] bool reported(const std::string& arn, TaskStatus status) const {
        return sink.task(arn, status) != nullptr;
    }
    /// The reason of the task's container when it was reported stopped.
    [[nodiscard]] std::string reason(const std::string& arn, const std::string& name) const {
        const auto* change = sink.container(arn, name, ContainerStatus::Stopped);
        return change == nullptr ? "(not reported stopped)" : change->reason;
    }
    [[nodiscard]] std::string stored_task(const std::string& arn) {
        const Result<StoredState> stored = run(store.load());
        const auto found = stored->tasks.find(arn);
        return found == stored->tasks.end() ? std::string() : found->second;
    }

    asio::io_context io;
    fakes::ManualClock clock;
    BlockingPool pool{1};
    cgroups::TaskCgroups* task_cgroups = nullptr;
    fakes::FakeBackend backend{clock};
    fakes::FlakyStore store;
    credentials::Registry credentials;
    AnonymousPulls registry_auth;
    model::SnapshotBoard snapshots;
    fakes::RecordingSink sink;
    EventLog events;
    config::Config config;
    core::HostTotals totals{.cpu = 4096, .memory = 8192, .reserved_tcp = {22}, .reserved_udp = {}, .gpus = {}};
    std::optional<WallTime> leftovers_before;
    std::vector<std::string> store_failures;
    std::vector<std::string> pause_programs;
    const ServiceAccess* services = nullptr;
    /// The filesystem behind Docker's folder: half empty.
    std::function<core::DiskUse()> disk = [] {
        return core::DiskUse{.bytes_total = 100 << 20, .bytes_free = 50 << 20, .inodes_total = 0, .inodes_free = 0};
    };
    bool answering = true;
    Result<void> started;
    std::unique_ptr<TaskEngine> engine;
};

}  // namespace nodeagent::engine
