// The program on a real Docker daemon, with the harness's control plane, whose refusals and lost answers are scripted.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "agent/base/strings.hpp"
#include "agent/engine/sqlite_store.hpp"
#include "tests/bench/soak_report.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/harness/agent_process.hpp"
#include "tests/harness/control_plane.hpp"
#include "tests/harness/docker_client.hpp"

namespace nodeagent::soak {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr const char* kCluster = "bench";  // as the harness registers

/// A task between its hand-over and its stop by the service.
struct Awaiting {
    json task;
    std::string arn;
    milliseconds stop_after{0};
    std::optional<SteadyTime> stop_at;  ///< known once it runs
};

class AgentSoak {
  public:
    explicit AgentSoak(SoakOptions options)
        : options_(std::move(options)),
          report_(options_, "the agent on Docker"),
          source_({.seed = options_.seed, .cluster = kCluster, .images = 1, .host_path = directory_.path()}),
          docker_(options_.docker),
          fates_(options_.seed + 2) {}

    int run() {
        control_plane_.on_submission([this](const json& body) { return submission(body); });
        const auto asked = now();
        agent_ = std::make_unique<harness::AgentProcess>(
            options_.agent, control_plane_.endpoint(), directory_.path(), "unix://" + options_.docker,
            std::vector<std::string>{"ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=3s",
                                     options_.log ? "ECS_LOGLEVEL=info" : "ECS_LOGLEVEL=error"});
        if (!control_plane_.session_since(asked, 30s)) throw std::runtime_error("the agent did not connect");
        std::this_thread::sleep_for(12s);  // it gives back what starting took
        const Gauges start = gauges();
        feed();
        finish_all();
        std::this_thread::sleep_for(45s);  // clean-up of the last, and the reporter's memory of them
        ledger_.sweep(now(), 0s, options_.patience);
        const Gauges end = gauges();
        report_.line(ledger_.tally(), end, ledger_);
        check_leavings();
        return report_.finish(ledger_, start, end);
    }

  private:
    static SteadyTime now() { return std::chrono::steady_clock::now(); }

    std::pair<int, std::string> submission(const json& body) {
        const auto fate = fates_() % 100;
        if (fate < 3) return {500, R"({"__type":"ServerException","message":"try again"})"};
        const bool answered = fate != 3;
        ledger_.book(body, now(), answered);
        if (!answered) return {500, R"({"__type":"ServerException","message":"taken, but not told"})"};
        return {200, R"({"acknowledgment":"soak"})"};
    }

    void send(json task, const std::string& desired) {
        task["desiredStatus"] = desired;
        ++messages_;
        control_plane_.send(json{{"type", "PayloadMessage"},
                                 {"message",
                                  {{"messageId", "m" + std::to_string(messages_)},
                                   {"clusterArn", kCluster},
                                   {"containerInstanceArn",
                                    "arn:aws:ecs:us-west-2:123456789012:container-instance/bench/"
                                    "0123456789abcdef0123456789abcdef"},
                                   {"seqNum", messages_},
                                   {"tasks", {std::move(task)}}}}}
                                .dump());
    }

    void begin_one() {
        Workload workload = source_.next();
        ledger_.begin(workload.arn(), workload.expected, now());
        send(workload.task, "RUNNING");
        if (!workload.stop_after) return;
        if (*workload.stop_after == 0ms) return send(std::move(workload.task), "STOPPED");
        awaiting_.push_back(
            {.task = std::move(workload.task), .arn = {}, .stop_after = *workload.stop_after, .stop_at = std::nullopt});
        awaiting_.back().arn = awaiting_.back().task.at("arn");
    }

    /// Stops what is due; true when nothing waits for its stop any more.
    bool stop_due() {
        std::erase_if(awaiting_, [this](Awaiting& one) {
            if (!one.stop_at && ledger_.running(one.arn)) one.stop_at = now() + one.stop_after;
            if (!one.stop_at || *one.stop_at > now()) return false;
            send(std::move(one.task), "STOPPED");
            return true;
        });
        return awaiting_.empty();
    }

    void tick() {
        stop_due();
        if (now() >= next_line_) {
            next_line_ = now() + options_.line_every;
            ledger_.sweep(now(), 60s, options_.patience);
            report_.line(ledger_.tally(), gauges(), ledger_);
        }
        std::this_thread::sleep_for(20ms);
    }

    void feed() {
        const SteadyTime begin = now();
        next_line_ = begin + options_.line_every;
        const auto pause =
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(1.0 / options_.rate));
        SteadyTime next = begin;
        for (std::uint64_t count = 0; options_.tasks == 0 || count < options_.tasks; ++count) {
            if (now() - begin >= options_.duration) break;
            begin_one();
            next += pause;
            while (now() < next) tick();
        }
    }

    void finish_all() {
        const SteadyTime limit = now() + options_.patience + 30s;
        while (now() < limit && ledger_.tally().alive() > 0) tick();
    }

    [[nodiscard]] Gauges gauges() { return process_gauges(agent_->pid()); }

    std::size_t count(const std::string& target, const std::string& list) {
        const json found = docker_.call("GET", target);
        return (list.empty() ? found : found.value(list, json::array())).size();
    }

    void check_leavings() {
        const json label{{"label", {std::string("com.amazonaws.ecs.cluster=") + kCluster}}};
        const std::size_t containers = count("/containers/json?all=1&filters=" + percent_encode(label.dump()), {});
        report_.check("no container left", containers == 0, std::to_string(containers));
        const json name{{"name", {"ecs-soak-"}}};
        const std::size_t volumes = count("/volumes?filters=" + percent_encode(name.dump()), "Volumes");
        report_.check("no volume left", volumes == 0, std::to_string(volumes));
        const std::size_t cgroups = task_cgroups();
        report_.check("no cgroup left", cgroups == 0, std::to_string(cgroups));
        const SteadyTime asked = now();
        const int code = agent_->finish(SIGTERM);
        const auto took = std::chrono::duration_cast<milliseconds>(now() - asked);
        report_.check("SIGTERM ends it within a second", code == 0 && took < 1s,
                      "exit code " + std::to_string(code) + " after " + std::to_string(took.count()) + " ms");
        const std::string rows = stored_tasks();
        report_.check("no task left in the store", rows == "0", rows);
    }

    /// Directories below /sys/fs/cgroup that are named after one of our tasks.
    [[nodiscard]] std::size_t task_cgroups() const {
        char id[17];
        std::snprintf(id, sizeof id, "%016llx", static_cast<unsigned long long>(options_.seed));
        std::error_code failure;
        std::size_t found = 0;
        auto it = std::filesystem::recursive_directory_iterator("/sys/fs/cgroup", failure);
        for (; !failure && it != std::filesystem::recursive_directory_iterator(); it.increment(failure)) {
            if (it->is_directory(failure) && it->path().filename().string().find(id) != std::string::npos) ++found;
        }
        return found;
    }

    static asio::awaitable<void> read_store(engine::SqliteStore& store, std::string& rows) {
        auto left = co_await store.load();
        rows = left ? std::to_string(left->tasks.size()) : left.error().what;
        co_await store.drain();
    }
    [[nodiscard]] std::string stored_tasks() const {
        boost::asio::io_context io;
        std::string rows;
        engine::SqliteStore store(io.get_executor(), directory_.path());
        Scope scope(io.get_executor());
        scope.spawn(read_store(store, rows));
        io.run();
        return rows;
    }

    SoakOptions options_;
    fakes::TempDirectory directory_;
    SoakReport report_;
    WorkloadSource source_;
    harness::DockerClient docker_;
    Ledger ledger_;
    Random fates_;  ///< the control plane's thread
    harness::ControlPlane control_plane_;
    std::unique_ptr<harness::AgentProcess> agent_;
    std::vector<Awaiting> awaiting_;
    SteadyTime next_line_;
    std::uint64_t messages_ = 0;
};

}  // namespace

int soak_agent(const SoakOptions& options) { return AgentSoak(options).run(); }

}  // namespace nodeagent::soak
