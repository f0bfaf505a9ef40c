// Random tasks on a host that answers late, twice and out of order, fails at random, and whose containers end on their
// own.

#include <algorithm>
#include <random>

#include "agent/core/internal_containers.hpp"
#include "agent/core/metadata_file.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/core/transitions.hpp"
#include "task_builder.hpp"

namespace nodeagent::core::testing {
namespace {

using S = ContainerStatus;

class Storm {
  public:
    explicit Storm(unsigned seed) : random_(seed), b_(random_task()) {
        b_.settings.cleanup_wait = std::chrono::seconds(30);
        b_.settings.pull_behavior = static_cast<PullBehavior>(random_() % 4);
        b_.settings.pull_dependents_upfront = chance(3);
        b_.settings.metadata_files = chance(2);
    }

    void run() {
        hear(Resumed{});
        for (int i = 0; i < 1500 && !finished(b_.task); ++i) {
            if (i == 60) tell(DesiredChanged{TaskStatus::Stopped});
            if (i > 0 && i % 97 == 0) restart_agent();
            round();
            if (::testing::Test::HasFatalFailure()) return;
        }
        ASSERT_TRUE(finished(b_.task)) << "stuck: task " << to_string(b_.task.known) << " of "
                                       << encode_saved_task(b_.task);
        for (const auto& [name, runs] : alive_) ASSERT_FALSE(runs) << name << " still runs";
        ASSERT_FALSE(holding_) << "resources of the host were not given back";
    }

  private:
    struct Pending {
        Event event;
        std::string result_of;  ///< the work this answers
        bool delivered = false;
    };

    bool chance(unsigned one_in) { return random_() % one_in == 0; }

    TaskState random_task() {
        std::vector<model::Container> containers;
        const auto count = 1 + random_() % 5;
        for (std::uint32_t i = 0; i < count; ++i) {
            model::Container c = container("c" + std::to_string(i), chance(2));
            if (chance(3)) c.health_check_type = "docker";
            if (chance(4)) c = with_restarts(std::move(c), 0, {0});
            if (chance(3)) c.port_mappings.push_back({80, 0, std::nullopt, {}});
            for (std::uint32_t d = 0; d < i; ++d) {
                if (!chance(3)) continue;
                static constexpr std::array kWords{"START", "COMPLETE", "SUCCESS", "HEALTHY"};
                const std::size_t word = random_() % (containers[d].health_check_type.empty() ? 3 : 4);
                c.depends_on.push_back({containers[d].name, kWords[word]});
            }
            containers.push_back(std::move(c));
        }
        std::shuffle(containers.begin(), containers.end(), random_);
        model::Task payload = payload_of(std::move(containers));
        if (chance(3)) payload.pid_mode = "task";
        return *accepted(std::move(payload), {.task_limits = chance(2)});
    }

    /// Delivers some pending event, perhaps keeping it to deliver again.
    void round() {
        b_.now = later(std::chrono::milliseconds(500), b_.now);
        for (auto& [name, runs] : alive_) {
            if (runs && chance(25)) end(name, static_cast<int>(random_() % 2));
        }
        if (pending_.empty() || chance(10)) return hear(Woken{});
        const auto at = static_cast<std::ptrdiff_t>(random_() % pending_.size());
        Pending& chosen = pending_[static_cast<std::size_t>(at)];
        if (!std::exchange(chosen.delivered, true)) in_flight_.erase(chosen.result_of);
        const Event event = chosen.event;
        if (!chance(4)) pending_.erase(pending_.begin() + at);
        hear(event);
    }

    void hear(const Event& event) {
        const TaskState before = b_.task;
        b_.hear(event);
        check(before);
        for (const Action& action : b_.last) perform(action);
    }

    void check(const TaskState& before) {
        const TaskState& after = b_.task;
        ASSERT_GE(after.known, before.known);
        ASSERT_GE(after.desired, before.desired);
        ASSERT_GE(after.sent, before.sent);
        ASSERT_LE(after.sent, after.known);
        for (std::size_t i = 0; i < after.containers.size(); ++i) {
            const ContainerState& c = after.containers[i];
            ASSERT_GE(c.known, before.containers[i].known);
            ASSERT_GE(c.desired, before.containers[i].desired);
            ASSERT_LE(c.sent, c.known);
            const bool kept = !before.containers[i].error || c.error == before.containers[i].error;
            ASSERT_TRUE(kept) << "the first error sticks";
        }
        // Planning again for no new fact asks for nothing but timers.
        const Outcome again = step(after, PullBegan{"nobody"}, b_.now, b_.settings);
        for (const Action& action : again.actions) ASSERT_TRUE(std::holds_alternative<WakeAt>(action));
    }

    void begin(const std::string& work) {
        ASSERT_TRUE(in_flight_.insert(work).second) << work << " is in flight twice";
    }

    void perform(const Action& action) {
        std::visit([&](const auto& a) { act(a); }, action);
    }
    void act(const AcquireHostResources&) {
        begin("acquire");
        ASSERT_FALSE(holding_);
        holding_ = true;
        answer("acquire", HostResourcesGranted{});
    }
    void act(const ReleaseHostResources&) {
        ASSERT_TRUE(holding_) << "given back twice";
        holding_ = false;
    }
    void act(const CreateResource& a) {
        begin(a.name);
        ResourceSettled result{.name = a.name, .status = ResourceStatus::Created, .error = {}, .stop_reason = {}};
        if (chance(15)) result.error = NamedError{"CgroupError", "x"};
        answer(a.name, result);
    }
    void act(const ResolveManifest& a) {
        begin("work " + a.container);
        answer("work " + a.container,
               ManifestResolved{a.container, chance(2) ? "sha256:d" : "", maybe("CannotPullImageManifestError")});
    }
    void act(const PullImage& a) {
        begin("work " + a.container);
        tell(PullBegan{a.container});
        answer("work " + a.container, ImagePulled{a.container, "i", true, maybe("CannotPullContainerError")});
    }
    void act(const ProvideImage& a) {
        begin("work " + a.container);
        answer("work " + a.container, ImagePulled{a.container, {}, false, maybe("CannotCreateContainerError")});
    }
    void act(const AssignPorts& a) {
        begin("work " + a.container);
        answer("work " + a.container, PortsAssigned{a.container, {{80, 49153, "tcp", 0}}, maybe("HostConfigError")});
    }
    void act(const CreateContainer& a) {
        begin("work " + a.container);
        ContainerCreated result{a.container, "id-" + a.container, {}, maybe("CannotCreateContainerError")};
        if (result.error) result.runtime_id.clear();
        answer("work " + a.container, result);
    }
    void act(const StartContainer& a) {
        begin("work " + a.container);
        ContainerStarted result{a.container, {}, maybe(chance(2) ? "DockerTimeoutError" : "CannotStartContainerError")};
        const bool timed_out = result.error && result.error->name == "DockerTimeoutError";
        if (!result.error || (timed_out && chance(2))) {
            alive_[a.container] = true;
            started_at_[a.container] = b_.now.wall;
        }
        if (!result.error) result.seen = look(a.container);
        answer("work " + a.container, result);
    }
    void act(const StopContainer& a) {
        begin("work " + a.container);
        if (chance(6))
            return answer("work " + a.container,
                          ContainerStopDone{a.container, {}, NamedError{"CannotStopContainerError", "gone"}});
        if (alive_[a.container]) end(a.container, 137);
        answer("work " + a.container, ContainerStopDone{a.container, look(a.container), {}});
    }
    void act(const WriteMetadataFile& a) {
        begin("metadata " + a.container);
        answer("metadata " + a.container, MetadataFileWritten{a.container, a.run, !chance(8)});
    }
    void act(const InspectContainers&) {
        for (const auto& [name, runs] : alive_) tell(ContainerObserved{name, look(name)});
    }
    void act(const ReportContainer& a) { acknowledge(std::nullopt, a.change.container_name, a.change.status); }
    void act(const ReportTask& a) { acknowledge(a.change.status, {}, S::None); }
    void act(const WakeAt&) {}
    void act(const ForgetCredentials&) {}
    void act(const CleanUp&) {
        for (const ContainerState& c : b_.task.containers) ASSERT_EQ(c.applied, S::None);
        begin("cleanup");
        answer("cleanup", CleanedUp{});
    }

    void acknowledge(std::optional<TaskStatus> task, const std::string& container, ContainerStatus status) {
        model::StateChangeAck ack{.task_arn = kArn, .task_status = task, .containers = {}};
        if (!container.empty()) ack.containers.emplace_back(container, status);
        tell(SentAcknowledged{ack});
    }

    void tell(Event event) { pending_.push_back({std::move(event), {}}); }
    /// Until the task hears the answer for the first time, the work is in flight.
    /// Once work is repeated, no answer to its earlier round comes any more: that one was told by a call that is over.
    void answer(std::string work, Event event) {
        std::erase_if(pending_, [&](const Pending& p) {
            return p.delivered && p.result_of == work && p.event.index() == event.index();
        });
        pending_.push_back({std::move(event), std::move(work)});
    }

    std::optional<NamedError> maybe(std::string name) {
        if (!chance(12)) return std::nullopt;
        return NamedError{std::move(name), "x"};
    }

    void end(const std::string& name, int code) {
        alive_[name] = false;
        exit_code_[name] = code;
        finished_at_[name] = b_.now.wall;
        tell(ContainerObserved{name, look(name)});
    }

    Observation look(const std::string& name) {
        Observation o = alive_[name] ? running(name) : exited(name, exit_code_[name]);
        if (started_at_.contains(name)) o.started_at = started_at_[name];
        if (finished_at_.contains(name)) o.finished_at = finished_at_[name];
        const ContainerState& container = *b_.task.find(name);
        if (!is_internal(container)) o.volumes = {{"", "/srv/" + name, metadata_file_folder(container)}};
        if (alive_[name]) o.health = chance(2) ? HealthStatus::Healthy : HealthStatus::Unhealthy;
        return o;
    }

    /// Everything this process knew is lost but what was saved; containers run on.
    void restart_agent() {
        Result<TaskState> saved = decode_saved_task(encode_saved_task(b_.task));
        ASSERT_TRUE(saved);
        b_.task = std::move(*saved);
        pending_.clear();
        in_flight_.clear();
        holding_ = b_.task.resources_consumed;
        hear(Resumed{});
        tell(DesiredChanged{TaskStatus::Stopped});  // ECS repeats it
        for (const auto& [name, runs] : alive_) tell(ContainerObserved{name, look(name), true});
    }

    std::mt19937 random_;
    Bench b_;
    std::vector<Pending> pending_;
    std::set<std::string> in_flight_;
    std::map<std::string, bool> alive_;
    std::map<std::string, int> exit_code_;
    std::map<std::string, WallTime> started_at_, finished_at_;
    bool holding_ = false;
};

constexpr unsigned kSeeds = 300;

TEST(StepProperty, HoldsInEveryStorm) {
    for (unsigned seed = 0; seed < kSeeds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Storm(seed).run();
        if (HasFatalFailure()) return;
    }
}

}  // namespace
}  // namespace nodeagent::core::testing
