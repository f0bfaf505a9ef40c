// Any bytes as an ACS frame. A payload in it goes the whole way of a task: decoded, accepted, saved, stepped through
// its life with answers that the input chooses, and made into documents for Docker.
#include <deque>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "agent/base/json.hpp"
#include "agent/core/from_payload.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/core/step.hpp"
#include "agent/engine/spec/container_spec.hpp"
#include "agent/model/acs_messages.hpp"
#include "runtime/docker/mapping.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using fuzz::require;
using fuzz::require_no_secret;

constexpr std::size_t kEnoughContainers = 12;  // more of the same costs time and finds nothing
constexpr int kEnoughSteps = 60;

const Instant kStart{SteadyTime(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'700'000'000))};

/// Good and bad answers, as the bytes of the input say.
class World {
  public:
    explicit World(std::string_view input) : input_(input) {}

    void answer(const core::Action& action) {
        std::visit([this](const auto& one) { answer_one(one); }, action);
    }
    std::deque<core::Event> events;

  private:
    std::optional<core::NamedError> luck() {
        unsigned char byte = input_.empty() ? '\0' : static_cast<unsigned char>(input_[at_++ % input_.size()]);
        byte = static_cast<unsigned char>(byte * 37U + at_ * 11U);
        if (byte % 16 != 3) return std::nullopt;
        return core::NamedError{"FuzzError", "it did not work"};
    }
    core::Observation seen(core::Observation::Phase phase) {
        core::Observation out;
        out.phase = phase;
        out.runtime_id = "id";
        out.created_at = kStart.wall;
        if (phase != core::Observation::Phase::Created) out.started_at = kStart.wall;
        if (phase == core::Observation::Phase::Stopped) {
            out.finished_at = kStart.wall + std::chrono::seconds(at_);
            out.exit_code = luck() ? 1 : 0;
        }
        out.ports = {{.container_port = 80, .host_port = 32768, .bind_ip = "::", .protocol = "tcp"}};
        return out;
    }
    void answer_one(const core::AcquireHostResources&) {
        if (luck()) events.push_back(core::HostResourcesRefused{"too big"});
        events.push_back(core::HostResourcesGranted{});
    }
    void answer_one(const core::CreateResource& a) {
        events.push_back(core::ResourceSettled{.name = a.name, .error = luck(), .stop_reason = "no such thing"});
    }
    void answer_one(const core::ResolveManifest& a) {
        events.push_back(core::ManifestResolved{a.container, "sha256:1", luck()});
    }
    void answer_one(const core::PullImage& a) {
        events.push_back(core::PullBegan{a.container});
        events.push_back(core::ImagePulled{a.container, "sha256:2", true, luck()});
    }
    void answer_one(const core::ProvideImage& a) {
        events.push_back(core::ImagePulled{a.container, "sha256:3", false, luck()});
    }
    void answer_one(const core::AssignPorts& a) {
        events.push_back(core::PortsAssigned{a.container, {{80, 32768, "tcp", 0}}, luck()});
    }
    void answer_one(const core::CreateContainer& a) {
        events.push_back(core::ContainerCreated{a.container, "id", seen(core::Observation::Phase::Created), luck()});
    }
    void answer_one(const core::StartContainer& a) {
        events.push_back(core::ContainerStarted{a.container, seen(core::Observation::Phase::Running), luck()});
        if (luck()) {
            events.push_back(
                core::ContainerObserved{.container = a.container, .seen = seen(core::Observation::Phase::Stopped)});
        }
    }
    void answer_one(const core::StopContainer& a) {
        events.push_back(core::ContainerStopDone{a.container, seen(core::Observation::Phase::Stopped), luck()});
    }
    void answer_one(const core::WakeAt&) { events.push_back(core::Woken{}); }
    void answer_one(const core::CleanUp&) { events.push_back(core::CleanedUp{}); }
    template <class NoAnswer>
    void answer_one(const NoAnswer&) {}

    std::string_view input_;
    std::size_t at_ = 0;
};

void check_spec(const core::TaskState& task) {
    engine::SpecContext context;
    context.cluster = "fuzz";
    context.region = "us-west-2";
    context.docker_version = "20.10.24";
    context.cgroup_parent = "/ecs/1";
    for (std::size_t i = 0; i < task.containers.size() && i < kEnoughContainers; ++i) {
        const auto spec = engine::container_spec(task, task.containers[i], context);
        if (!spec) {
            require(!spec.error().name.empty() && !spec.error().message.empty(), "an error has a name and a text");
            require_no_secret(spec.error().message, "no error text holds a secret");
            continue;
        }
        const std::string body = runtime::docker::create_body(*spec);
        require_no_secret(body, "no container is given the role's secret");
        const auto document = parse_json(body);
        require(document.has_value(), "the body of a create call is JSON", body);
        const Json& labels = document->at("Labels");
        require(labels.at("com.amazonaws.ecs.task-arn").is_string(), "a container has ECS's labels", body);
        require(document->at("HostConfig").at("CgroupParent") == "/ecs/1", "the payload chooses no cgroup", body);
    }
}

void check_saved(const core::TaskState& task) {
    const std::string text = core::encode_saved_task(task);
    require_no_secret(text, "no secret is saved");
    const auto back = core::decode_saved_task(text);
    require(back.has_value(), "what was saved can be read", back ? "" : back.error().what + "\n" + text);
    require(core::encode_saved_task(*back) == text, "what was saved comes back", text);
}

void live(core::TaskState task, std::string_view input) {
    World world(input);
    world.events.push_back(core::Resumed{});
    Instant now = kStart;
    for (int i = 0; i < kEnoughSteps; ++i) {
        if (world.events.empty()) {
            if (task.desired == core::TaskStatus::Stopped) break;
            world.events.push_back(core::DesiredChanged{core::TaskStatus::Stopped});
        }
        const core::Event event = std::move(world.events.front());
        world.events.pop_front();
        now.steady += std::chrono::seconds(7);
        now.wall += std::chrono::seconds(7);
        core::Outcome outcome = core::step(task, event, now, core::Settings{});
        require(outcome.state.known >= task.known, "a task's status never falls");
        require(outcome.state.desired >= task.desired, "what ECS wants never falls");
        require(outcome.state.containers.size() == task.containers.size(), "containers stay");
        for (const core::Action& action : outcome.actions) world.answer(action);
        task = std::move(outcome.state);
        if (i % 8 == 7) check_saved(task);
    }
    check_saved(task);
    check_spec(task);
}

void check_task(const model::Task& given, std::string_view input) {
    model::Task task = given;
    const auto again = decode<model::Task>(encode(task));
    require(again.has_value() && *again == task, "decoding what was encoded gives the same task", encode(task));
    if (task.arn.empty() || task.containers.size() > kEnoughContainers) return;  // without an ARN only logged
    for (auto* role : {&task.role_credentials, &task.execution_role_credentials}) {
        if (!*role) continue;
        (*role)->secret_access_key = Secret(std::string(fuzz::kSecret));
        (*role)->session_token = Secret(std::string(fuzz::kSecret));
    }
    core::Identity identity;
    identity.uuid = [] { return std::string("uuid"); };
    identity.container_name = [](const model::Task& t, const std::string& container) {
        return engine::docker_container_name(t.family, t.version, container, 1);
    };
    identity.volume_name = [](const model::Task& t, const std::string& volume) {
        return engine::docker_volume_name(t.family, t.version, volume, 1);
    };
    const auto payload = std::make_shared<const model::Task>(std::move(task));
    auto accepted = core::from_payload(payload, identity, core::AcceptanceRules{.gpu_support = true});
    if (!accepted) {
        require(!accepted.error().reason.empty(), "a refusal has a reason");
        require_no_secret(accepted.error().reason, "no reason holds a secret");
        return;
    }
    require(!accepted->definition->role_credentials && !accepted->definition->execution_role_credentials,
            "role credentials are not kept");
    check_saved(*accepted);
    live(*std::move(accepted), input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view input = fuzz::text_of(bytes, size);
    if (fuzz::holds_secret(input)) return 0;
    const auto message = model::decode_acs_frame(input);
    if (!message) {
        require(!message.error().what.empty(), "an error says what is wrong");
        return 0;
    }
    const auto* payload = std::get_if<model::PayloadMessage>(&*message);
    if (payload == nullptr) return 0;
    std::size_t tasks = 0;
    for (const auto& task : payload->tasks) {
        if (task != nullptr && ++tasks <= 3) check_task(*task, input);
    }
    return 0;
}
