#include "agent/core/waiting.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/core/dependencies.hpp"
#include "agent/core/fetched.hpp"

namespace nodeagent::core {

namespace {

using S = ContainerStatus;

std::string mebibytes(std::uint64_t bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", static_cast<double>(bytes) / (1 << 20));
    return text.data();
}

std::string progress(const ContainerState& container, const PullViews& pulls) {
    const auto found = pulls.find(container.name);
    const std::string how = found == pulls.end() ? std::string() : describe(found->second);
    return how.empty() ? std::string() : " (" + how + ")";
}

std::string work_in_flight(const ContainerState& container, const PullViews& pulls) {
    const std::string& image = container.definition->image;
    switch (container.applied) {
        case S::ManifestPulled: return "for the registry to tell the digest of " + image + progress(container, pulls);
        case S::Pulled: return "for image " + image + " to be pulled" + progress(container, pulls);
        case S::Created: return "for the runtime to create the container";
        case S::Running: return "for the runtime to start the container";
        case S::Stopped: return "for the container to end; SIGKILL follows after its stop timeout";
        default: return {};
    }
}

/// Why a task stops: ECS wished it, something of its own failed, or an essential container ended.
std::string stop_cause(const TaskState& task) {
    if (task.stop_asked) return "because ECS asked for it";
    if (!task.stop_reason.empty()) return "because of this: " + task.stop_reason;
    for (const ContainerState& container : task.containers) {
        if (!container.essential || container.known != S::Stopped) continue;
        std::string text = "because its essential container " + container.name + " ended";
        if (container.exit_code) text += " with exit code " + std::to_string(*container.exit_code);
        return text;
    }
    for (const ContainerState& container : task.containers) {
        if (container.error) return "because of container " + container.name + ": " + container.error->message;
    }
    return {};
}

std::string stopping(const TaskState& task) {
    std::vector<std::string> left;
    for (const ContainerState& container : task.containers) {
        if (container.known == S::Stopped) continue;
        const bool asked = container.applied == S::Stopped;
        left.push_back(container.name + (asked ? " (SIGKILL follows its stop timeout)" : ""));
    }
    const std::string cause = stop_cause(task);
    std::string text = "is stopping" + (cause.empty() ? std::string() : " " + cause);
    if (!left.empty()) text += (cause.empty() ? " and" : ", and") + (" waits for the end of " + join(left, ", "));
    const bool retried = std::any_of(task.containers.begin(), task.containers.end(),
                                     [](const ContainerState& c) { return c.stop_again_at.has_value(); });
    return retried ? text + "; the runtime did not answer, a stop is tried again" : text;
}

}  // namespace

std::string describe(const model::PullView& pull) {
    std::vector<std::string> parts;
    if (pull.queued) parts.emplace_back("queued behind other pulls, see ECS_IMAGE_PULL_PARALLEL");
    if (pull.total_bytes > 0) {
        parts.push_back(mebibytes(pull.current_bytes) + " of " + mebibytes(pull.total_bytes) + " MiB");
    }
    if (pull.layers > 0) {
        parts.push_back(std::to_string(pull.layers_done) + " of " + std::to_string(pull.layers) + " layers");
    }
    if (pull.since) parts.push_back("since " + rfc3339_seconds(*pull.since));
    std::string text = join(parts, ", ");
    if (pull.last_error.empty()) return text;
    const bool pausing = pull.retry_at.has_value();
    text += (text.empty() ? "" : "; ") + std::string("attempt ") + std::to_string(pull.attempt) +
            (pausing ? " failed: " : ", after: ") + pull.last_error;
    if (pausing) text += "; next try at " + rfc3339_seconds(*pull.retry_at);
    return text;
}

std::string waiting_for(const TaskState& task, const Settings& settings, WallTime now, const PullViews& pulls) {
    if (task.known == TaskStatus::Stopped) {
        return task.sent == TaskStatus::Stopped ? std::string() : "waits for ECS to acknowledge that it has stopped";
    }
    if (task.desired == TaskStatus::Stopped) return stopping(task);
    if (task.acquiring) return "waits for CPU, memory, ports or GPUs of this host";
    for (const ResourceState& resource : task.resources) {
        if (!resource.in_flight) continue;
        return "waits for " + describe_resource(resource);
    }
    for (const ContainerState& container : task.containers) {
        std::string clause = work_in_flight(container, pulls);
        if (clause.empty()) {
            const Clearance clear = clearance(task, container, {settings.pull_dependents_upfront, now});
            if (clear.verdict != Clearance::Verdict::Failed) clause = clear.why;
        }
        if (clause.empty() && container.stop_again_at) clause = "to try to stop it again; the runtime did not answer";
        if (!clause.empty()) return "container " + container.name + " waits " + clause;
    }
    return {};
}

}  // namespace nodeagent::core
