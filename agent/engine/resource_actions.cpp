// CreateResource and CleanUp: the task's cgroup and volumes, and the end of everything. task-engine.md 3.7, 4, 7.1.

#include <algorithm>
#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/test_point.hpp"
#include "agent/core/fetched.hpp"
#include "agent/core/from_payload.hpp"
#include "agent/engine/actions.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/engine/patient_call.hpp"
#include "agent/engine/resources/task_files.hpp"
#include "agent/engine/runtime_errors.hpp"
#include "agent/engine/runtime_link.hpp"

namespace nodeagent::engine {

namespace {

constexpr std::uint64_t kMinShares = 2;
constexpr std::uint64_t kMaxShares = 262144;
constexpr std::chrono::minutes kVolumeLimit(5);

/// About an hour and a half in all.
constexpr int kCleanUpAttempts = 8;
constexpr BackoffPolicy kCleanUpBackoff{std::chrono::seconds(5), std::chrono::minutes(30), 0.2, 4};

std::string resource_word(const core::ResourceState& resource) {
    return resource.docker_name.empty() ? "resource " + resource.name : "volume " + resource.docker_name;
}

cgroups::TaskLimits limits_of(const model::Task& task, const config::Config& config) {
    cgroups::TaskLimits limits;
    limits.cpu_period = config.cgroup_cpu_period;
    if (task.cpu > 0) {
        limits.cpu = task.cpu;
    } else {
        std::uint64_t shares = 0;
        for (const model::Container& container : task.containers) {
            shares += std::max(kMinShares, static_cast<std::uint64_t>(std::max<std::int64_t>(0, container.cpu)));
        }
        limits.cpu_shares = std::clamp(shares, kMinShares, kMaxShares);
    }
    if (task.memory > 0) limits.memory_bytes = static_cast<std::uint64_t>(task.memory) << 20U;
    if (config.task_pids_limit > 0) limits.pids = static_cast<std::uint32_t>(config.task_pids_limit);
    return limits;
}

/// What the payload says of the volume; nullptr for an empty host volume.
const model::DockerVolume* configuration_of(const core::ResourceState& resource, const model::Task& task) {
    for (const model::Volume& volume : task.volumes) {
        if (volume.name == resource.name && volume.docker) return &*volume.docker;
    }
    return nullptr;
}

runtime::VolumeSpec spec_of(const core::ResourceState& resource, const model::Task& task) {
    runtime::VolumeSpec spec;
    spec.name = resource.docker_name;
    spec.driver = "local";
    if (const model::DockerVolume* configuration = configuration_of(resource, task)) {
        if (!configuration->driver.empty()) spec.driver = configuration->driver;
        spec.driver_opts = configuration->driver_opts;
        spec.labels = configuration->labels;
    }
    return spec;
}

/// A map as the reference prints it: map[a:1 b:2].
std::string printed(const std::map<std::string, std::string>& map) {
    std::string text;
    for (const auto& [key, value] : map) text += (text.empty() ? "" : " ") + key + ":" + value;
    return "map[" + text + "]";
}

/// Why a task cannot have the shared volume it asks for; "" when it can: it exists as wanted, or may be created.
std::string shared_volume_problem(const core::TaskState& task, const core::ResourceState& resource,
                                  const Result<runtime::VolumeSpec>& existing, const config::Config& config) {
    const model::DockerVolume* wanted = configuration_of(resource, *task.definition);
    if (wanted == nullptr) return {};
    if (!existing) {
        const std::string cause = named_error(kInspectVolume, existing.error(), kVolumeLimit).message;
        if (!wanted->autoprovision) {
            return "initialize volume: volume detection failed, volume '" + resource.name +
                   "' does not exist and autoprovision is set to false: " + cause;
        }
        return existing.error().kind == ErrorKind::Timeout ? cause : std::string();
    }
    if (!wanted->autoprovision || !config.shared_volume_match_full_config.enabled()) return {};
    const auto mismatch = [](const std::string& what, const auto& found, const auto& expected) {
        return "non-autoprovisioned volume does not match existing volume " + what + ": existing: " + printed(found) +
               ", expected: " + printed(expected);
    };
    // the first word is spelled as the service's users know it
    if (existing->labels != wanted->labels) {
        return "intialize volume: " + mismatch("labels", existing->labels, wanted->labels);
    }
    if (existing->driver_opts != wanted->driver_opts) {
        return "initialize volume: " + mismatch("options", existing->driver_opts, wanted->driver_opts);
    }
    return {};
}

}  // namespace

asio::awaitable<void> Actions::run(LiveTask& task, core::CreateResource action) {
    const auto& resources = task.state().resources;
    const auto found = std::find_if(resources.begin(), resources.end(),
                                    [&](const core::ResourceState& one) { return one.name == action.name; });
    if (found == resources.end()) co_return;
    const core::ResourceState resource = *found;
    core::ResourceSettled settled{
        .name = action.name, .status = core::ResourceStatus::Created, .error = {}, .stop_reason = {}};
    if (resource.kind == core::ResourceState::Kind::Cgroup) {
        settled = co_await create_cgroup(task, std::move(settled));
    } else if (core::is_fetched(resource.kind)) {
        settled = co_await fetch(task, resource, std::move(settled));
    } else {
        settled = co_await create_volume(task, resource, std::move(settled));
    }
    task.tell(std::move(settled));
}

asio::awaitable<core::ResourceSettled> Actions::create_cgroup(LiveTask& task, core::ResourceSettled settled) {
    if (tools_.cgroups == nullptr) co_return settled;
    auto work = [cgroups = tools_.cgroups, id = core::task_id(task.state().arn),
                 limits = limits_of(*task.state().definition, tools_.config)] { return cgroups->create(id, limits); };
    NODEAGENT_POINT("cgroup.create.before");
    const Result<void> made = co_await tools_.pool.run(std::move(work));
    NODEAGENT_POINT("cgroup.create.done");
    if (!made) {
        log::error("task cgroup not created", {{"task", task.state().arn}, {"cause", made.error().what}});
        settled.error = core::NamedError{.name = "CgroupError", .message = made.error().what};
        settled.stop_reason = core::kCgroupFailed;
    }
    co_return settled;
}

asio::awaitable<core::ResourceSettled> Actions::create_volume(LiveTask& task, core::ResourceState volume,
                                                              core::ResourceSettled settled) {
    if (volume.shared) {
        std::function<asio::awaitable<Result<runtime::VolumeSpec>>()> inspect = [this, &volume] {
            return tools_.backend.inspect_volume(volume.docker_name);
        };
        const Result<runtime::VolumeSpec> existing =
            co_await patient_call(tools_.link, tools_.clock, std::move(inspect));
        const std::string problem = shared_volume_problem(task.state(), volume, existing, tools_.config);
        if (!problem.empty()) {
            settled.error = core::NamedError{.name = "ResourceInitializationError", .message = problem};
            settled.stop_reason = core::resource_not_initialised(task.state().arn, problem);
            settled.rejects_task = true;
        }
        if (!problem.empty() || existing) co_return settled;
    }
    runtime::VolumeSpec spec = spec_of(volume, *task.state().definition);
    NODEAGENT_POINT("volume.create.before");
    std::function<asio::awaitable<Result<void>>()> create = [this, &spec] {
        return tools_.backend.create_volume(spec);
    };
    const Result<void> made = co_await patient_call(tools_.link, tools_.clock, std::move(create));
    NODEAGENT_POINT("volume.create.done");
    if (!made) {
        settled.error = named_error(kCreateVolume, made.error(), kVolumeLimit);
        settled.stop_reason = settled.error->message.empty() ? core::kVolumeFailed : settled.error->message;
    }
    co_return settled;
}

asio::awaitable<void> Actions::run(LiveTask& task, core::CleanUp) {
    const core::TaskState state = task.state();
    NODEAGENT_POINT("cleanup.before");
    Backoff backoff(kCleanUpBackoff);
    for (int attempt = 1;; ++attempt) {
        const std::vector<std::string> left = co_await remove_all_of(state);
        if (left.empty()) break;
        if (attempt == kCleanUpAttempts) {
            // A task that cannot be cleaned up must not stay for ever.
            log::error(
                "parts of an ended task could not be removed; its record goes all the same",
                {{"task", state.arn}, {"attempts", attempt}, {"left", join(left, "; ")}, {"remedy", kLeftOverRemedy}});
            tools_.gave_up(state.arn);
            break;
        }
        if (attempt == 1) {
            log::warn("parts of an ended task could not be removed; trying again",
                      {{"task", state.arn}, {"left", join(left, "; ")}});
        }
        co_await tools_.clock.sleep_for(backoff.next());
    }
    task.tell(core::CleanedUp{});
}

/// What could not be removed, each with its cause. May be repeated: what is gone counts as removed.
asio::awaitable<std::vector<std::string>> Actions::remove_all_of(core::TaskState state) {
    std::vector<std::string> left;
    co_await tools_.link.wait_reachable();
    for (const core::ContainerState& container : state.containers) {
        // by name when the agent ended between create and its answer
        const std::string id = container.runtime_id.empty() ? container.docker_name : container.runtime_id;
        if (id.empty()) continue;
        std::function<asio::awaitable<Result<void>>()> remove = [this, &id] { return tools_.backend.remove(id); };
        const Result<void> removed = co_await patient_call(tools_.link, tools_.clock, std::move(remove));
        NODEAGENT_POINT("cleanup.container.removed");
        if (!removed) left.push_back("container " + container.docker_name + ": " + removed.error().what);
    }
    tools_.images.release(state.arn, tools_.clock.now().wall);
    for (const core::ResourceState& resource : state.resources) {
        Result<void> removed;
        if (resource.kind == core::ResourceState::Kind::DockerVolume) {
            if (resource.shared || resource.docker_name.empty()) continue;
            std::function<asio::awaitable<Result<void>>()> remove = [this, &resource] {
                return tools_.backend.remove_volume(resource.docker_name);
            };
            removed = co_await patient_call(tools_.link, tools_.clock, std::move(remove));
            NODEAGENT_POINT("cleanup.volume.removed");
        } else if (core::is_fetched(resource.kind)) {
            tools_.vault.wipe(state.arn);
        } else if (tools_.cgroups != nullptr) {
            auto work = [cgroups = tools_.cgroups, id = core::task_id(state.arn)] { return cgroups->remove(id); };
            removed = co_await tools_.pool.run(std::move(work));
            NODEAGENT_POINT("cleanup.cgroup.removed");
        }
        if (!removed) left.push_back(resource_word(resource) + ": " + removed.error().what);
    }
    // also of a task that was made again from its containers, whose record no longer says that it has some
    auto files = [data_dir = tools_.config.data_dir, cluster = tools_.config.cluster, arn = state.arn] {
        return remove_task_files(data_dir, cluster, arn);
    };
    const Result<void> gone = co_await tools_.pool.run(std::move(files));
    if (!gone) left.push_back("files: " + gone.error().what);
    co_return left;
}

}  // namespace nodeagent::engine
