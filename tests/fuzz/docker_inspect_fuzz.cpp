// Any bytes as an answer of the Docker daemon: container, image, volume, its own version and facts. What an inspect
// says is then a fact that a task hears.
#include <algorithm>
#include <memory>

#include "agent/base/json.hpp"
#include "agent/core/from_payload.hpp"
#include "agent/core/saved_task.hpp"
#include "agent/core/step.hpp"
#include "agent/engine/observation.hpp"
#include "agent/engine/resources/vault.hpp"
#include "runtime/docker/mapping.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using fuzz::require;

const Instant kStart{SteadyTime(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'700'000'000))};

/// One container with a restart policy, running.
core::TaskState running_task() {
    auto payload = std::make_shared<model::Task>();
    payload->arn = "arn:aws:ecs:us-west-2:123456789012:task/fuzz/1";
    payload->desired_status = "RUNNING";
    model::Container container;
    container.name = "app";
    container.essential = true;
    container.health_check_type = "docker";
    container.port_mappings.emplace_back().container_port = 80;
    model::RestartPolicy& policy = container.restart_policy.emplace();
    policy.enabled = true;
    policy.restart_attempt_period = 60;
    payload->containers = {container};
    const auto name = [](const model::Task&, const std::string& one) { return one; };
    core::Identity identity{[] { return std::string("uuid"); }, name, name};
    auto task = core::from_payload(payload, identity, core::AcceptanceRules{.task_limits = false});
    require(task.has_value(), "the task of this test is accepted");
    core::TaskState state = core::step(*std::move(task), core::Resumed{}, kStart, core::Settings{}).state;
    state.resources_consumed = true;
    state.containers[0].known = core::ContainerStatus::ResourcesProvisioned;
    state.containers[0].runtime_id = "id";
    state.known = core::TaskStatus::Running;
    return state;
}

void tell(const runtime::ContainerView& view) {
    static const core::TaskState running = running_task();
    static const engine::Vault vault;
    Instant now = kStart;
    core::TaskState task = running;
    for (const bool at_restore : {true, false}) {
        now.steady += std::chrono::hours(1);
        now.wall += std::chrono::hours(1);
        const core::ContainerObserved heard{"app", engine::observation(view, vault, task.arn), at_restore};
        core::Outcome outcome = core::step(std::move(task), heard, now, core::Settings{});
        require(outcome.state.known >= core::TaskStatus::Running, "a task's status never falls");
        task = std::move(outcome.state);
    }
    const std::string text = core::encode_saved_task(task);
    const auto back = core::decode_saved_task(text);
    require(back.has_value() && core::encode_saved_task(*back) == text, "what was saved comes back", text);
}

void check_container(const Json& document) {
    const runtime::ContainerView view = runtime::docker::container_view(document);
    const bool running = view.phase == runtime::ContainerPhase::Running;
    require(!running || (!view.exit_code && !view.finished_at), "what runs has not ended");
    require(view.health.output.size() <= 1024, "a probe's output is bounded");
    require(!view.name.starts_with('/') || document["Name"].get<std::string>().starts_with("//"),
            "a name has no slash");
    tell(view);
    const core::FoundContainer found = engine::found_container(view);
    require(found.docker_name == view.name, "a found container keeps its name");
    (void)runtime::docker::listed_container(document);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const auto document = parse_json(fuzz::text_of(bytes, size));
    if (!document) return 0;
    check_container(*document);
    const runtime::ImageView image = runtime::docker::image_view(*document);
    require(std::count(image.repo_tags.begin(), image.repo_tags.end(), "<none>:<none>") == 0,
            "no tag is Docker's blank");
    const runtime::VolumeSpec volume = runtime::docker::volume_view(*document);
    const auto body = parse_json(runtime::docker::volume_body(volume));
    require(body.has_value() && body->at("Name") == volume.name, "the body of a volume call is JSON");
    (void)runtime::docker::daemon_version(*document);
    runtime::Capabilities capabilities;
    runtime::docker::add_daemon_facts(*document, capabilities);
    (void)runtime::docker::volume_plugins(*document);
    (void)runtime::docker::manifest_descriptor(*document);
    return 0;
}
