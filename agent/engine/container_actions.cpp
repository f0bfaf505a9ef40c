// AssignPorts, CreateContainer, StartContainer, StopContainer. task-engine.md 1.4, 5.2.

#include <algorithm>
#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/log.hpp"
#include "agent/base/retries.hpp"
#include "agent/base/test_point.hpp"
#include "agent/engine/actions.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/engine/observation.hpp"
#include "agent/engine/observer.hpp"
#include "agent/engine/patient_call.hpp"
#include "agent/engine/runtime_errors.hpp"
#include "agent/engine/runtime_link.hpp"
#include "agent/engine/spec/container_spec.hpp"

namespace nodeagent::engine {

namespace {

using std::chrono::seconds;

constexpr int kStopAttempts = 5;
constexpr BackoffPolicy kStopBackoff{seconds(1), seconds(5), 0.2, 1.3};
constexpr seconds kInspectLimit(30);
constexpr std::chrono::minutes kStopSlack(2);  ///< what a stop may take beyond its grace

}  // namespace

asio::awaitable<void> Actions::run(LiveTask& task, core::AssignPorts action) {
    const core::ContainerState* container = task.state().find(action.container);
    if (container == nullptr) co_return;
    core::PortsAssigned assigned{.container = action.container, .ports = container->port_assignments, .error = {}};
    if (assigned.ports.empty()) {
        const PortRange range{.first = tools_.config.dynamic_port_first, .last = tools_.config.dynamic_port_last};
        auto chosen = assign_host_ports(*container->definition, range, ports_, tools_.port_is_free);
        if (chosen) {
            assigned.ports = *std::move(chosen);
        } else {
            assigned.error = std::move(chosen).error();
        }
    }
    NODEAGENT_POINT("ports.chosen");
    task.tell(std::move(assigned));
}

asio::awaitable<void> Actions::run(LiveTask& task, core::CreateContainer action) {
    co_await tools_.link.wait_reachable();
    core::ContainerCreated created{.container = action.container, .runtime_id = {}, .seen = {}, .error = {}};
    auto files = co_await file_environment(task, action.container);
    std::string metadata_file = co_await first_metadata_file(task, action.container);
    const core::ContainerState* container = task.state().find(action.container);
    if (container == nullptr) co_return;
    if (!files) {
        created.error = core::NamedError{.name = "ResourceInitializationError", .message = files.error().what};
        task.tell(std::move(created));
        co_return;
    }
    const config::Config& config = tools_.config;
    const runtime::Capabilities& capabilities = tools_.link.capabilities();
    SpecContext context;
    context.cluster = config.cluster;
    context.region = config.region;
    context.external = config.external.enabled();
    context.cgroup_v2 = capabilities.cgroup_v2;
    context.propagate_memory_limit = config.propagate_task_memory_limit_cgroup_v2.enabled();
    context.gpu_support = config.gpu_support;
    context.inferentia_support = config.inferentia_support;
    context.nvidia_runtime = config.nvidia_runtime;
    context.pause_labels = config.pause_labels;
    context.docker_version = capabilities.version;
    context.ipv6_only = config.ipv6_only;
    context.execution_credentials_known = tools_.credentials.get(task.state().execution_credentials_id) != nullptr;
    context.image_env = tools_.images.region_env(container->image_id);
    if (task.state().task_limits && tools_.cgroups != nullptr) {
        context.cgroup_parent = tools_.cgroups->parent_for(core::task_id(task.state().arn));
    }
    context.file_environment = *std::move(files);
    context.metadata_file_source = std::move(metadata_file);
    const auto& security = capabilities.security_options;
    context.selinux = std::find(security.begin(), security.end(), "selinux") != security.end();
    context.secrets = tools_.vault.secrets(task.state().arn);
    auto spec = container_spec(task.state(), *container, context);
    if (!spec) {
        created.error = core::NamedError{.name = spec.error().name, .message = spec.error().message};
        conceal(task, created.error);
        task.tell(std::move(created));
        co_return;
    }
    const std::chrono::nanoseconds limit = config.container_create_timeout;
    NODEAGENT_POINT("container.create.before");
    Backoff backoff(kUnavailableBackoff);
    for (int attempt = 1;; ++attempt) {
        runtime::ContainerSpec wanted = *spec;
        Result<std::string> id = co_await tools_.backend.create(std::move(wanted), limit);
        if (id) {
            NODEAGENT_POINT("container.create.done");
            created.runtime_id = *std::move(id);
            break;
        }
        if (!ask_again(id.error(), attempt)) {
            created.error = named_error(kCreate, id.error(), limit);
            break;
        }
        count_retry(Retried::RuntimeCall, id.error().kind);
        co_await tools_.clock.sleep_for(backoff.next());
        co_await tools_.link.wait_reachable();
    }
    conceal(task, created.error);
    task.tell(std::move(created));
}

asio::awaitable<Result<runtime::ContainerView>> Actions::look(std::string id) {
    std::function<asio::awaitable<Result<runtime::ContainerView>>()> call = [this, id = std::move(id)] {
        return tools_.observer.look(id);
    };
    Result<runtime::ContainerView> view = co_await patient_call(tools_.link, tools_.clock, std::move(call));
    co_return view;
}

asio::awaitable<void> Actions::run(LiveTask& task, core::StartContainer action) {
    const core::ContainerState* container = task.state().find(action.container);
    if (container == nullptr) co_return;
    const std::string id = container->runtime_id;
    const std::chrono::nanoseconds limit = tools_.config.container_start_timeout;
    NODEAGENT_POINT("container.start.before");
    core::ContainerStarted started{.container = action.container, .seen = {}, .error = {}};
    Backoff backoff(kUnavailableBackoff);
    for (int attempt = 1;; ++attempt) {
        co_await tools_.link.wait_reachable();
        Result<void> done = co_await tools_.backend.start(id, limit);
        if (!done && ask_again(done.error(), attempt)) {
            count_retry(Retried::RuntimeCall, done.error().kind);
            co_await tools_.clock.sleep_for(backoff.next());
            continue;
        }
        if (!done) started.error = named_error(kStart, done.error(), limit);
        break;
    }
    if (!started.error) {
        NODEAGENT_POINT("container.start.done");
        Result<runtime::ContainerView> view = co_await look(id);
        if (view) {
            NODEAGENT_POINT("container.start.seen");
            started.seen = observation(*std::move(view), tools_.vault, task.state().arn);
        } else {
            started.error = named_error(kInspect, view.error(), kInspectLimit);
        }
    }
    conceal(task, started.error);
    task.tell(std::move(started));
}

asio::awaitable<void> Actions::run(LiveTask& task, core::StopContainer action) {
    const core::ContainerState* container = task.state().find(action.container);
    if (container == nullptr) co_return;
    const std::string id = container->runtime_id.empty() ? container->docker_name : container->runtime_id;
    NODEAGENT_POINT("container.stop.before");
    std::optional<Error> failure;
    Backoff backoff(kStopBackoff);
    for (int attempt = 1;; ++attempt) {
        co_await tools_.link.wait_reachable();
        Result<void> stopped = co_await tools_.backend.stop(id, action.grace);
        failure.reset();
        if (stopped || stopped.error().kind == ErrorKind::NotFound) break;
        failure = std::move(stopped).error();
        if (attempt == kStopAttempts) break;
        log::warn("container not stopped; trying again",
                  {{"task", task.state().arn}, {"container", action.container}, {"cause", failure->what}});
        count_retry(Retried::RuntimeCall, failure->kind);
        co_await tools_.clock.sleep_for(backoff.next());
    }
    NODEAGENT_POINT("container.stop.done");
    core::ContainerStopDone done{.container = action.container, .seen = {}, .error = {}};
    if (failure) {
        done.error = named_error(kStop, *failure, action.grace + kStopSlack);
        // A daemon that does not answer says nothing of the container: then nothing is seen, and core asks again.
        const Result<void> alive = co_await tools_.backend.ping(kPingLimit);
        if (!alive) {
            conceal(task, done.error);
            task.tell(std::move(done));
            co_return;
        }
    }
    // The event of the exit has usually told everything already.
    const core::ContainerState* now = task.state().find(action.container);
    if (now != nullptr && now->known != core::ContainerStatus::Stopped) {
        Result<runtime::ContainerView> view = co_await look(id);
        if (view) {
            done.seen = observation(*std::move(view), tools_.vault, task.state().arn);
            if (done.seen->phase == core::Observation::Phase::Stopped) done.error.reset();
        } else if (view.error().kind == ErrorKind::NotFound) {
            done.error.reset();
            task.tell(core::ContainerVanished{action.container});
        } else {
            done.error = named_error(kInspect, view.error(), kInspectLimit);  // its exit code is not known yet: again
        }
    }
    conceal(task, done.error);
    task.tell(std::move(done));
}

}  // namespace nodeagent::engine
