#include "agent/engine/actions.hpp"

#include <optional>
#include <utility>
#include <variant>

#include "agent/base/test_point.hpp"
#include "agent/engine/host_queue.hpp"
#include "agent/engine/image_ledger.hpp"
#include "agent/engine/observation.hpp"
#include "agent/engine/observer.hpp"
#include "agent/engine/runtime_link.hpp"

namespace nodeagent::engine {

namespace {
template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
}  // namespace

bool Actions::done_at_once(LiveTask& task, core::Action& action) {
    return std::visit(Overloaded{[&](core::ReportContainer& report) {
                                     tools_.reports.submit(std::move(report.change));
                                     return true;
                                 },
                                 [&](core::ReportTask& report) {
                                     tools_.reports.submit(std::move(report.change));
                                     return true;
                                 },
                                 [&](const core::ReleaseHostResources&) {
                                     tools_.host.leave(task.state().arn);
                                     return true;
                                 },
                                 [&](const core::ForgetCredentials& forget) {
                                     tools_.credentials.forget(forget.credentials_id);
                                     return true;
                                 },
                                 [](const auto&) { return false; }},
                      action);
}

asio::awaitable<void> Actions::execute(LiveTask& task, core::Action action) {
    // the awaitable is made inside visit and awaited outside: a visitor must not be a coroutine with captures
    std::optional<asio::awaitable<void>> work = std::visit(
        [&](auto& one) -> std::optional<asio::awaitable<void>> {
            if constexpr (requires { run(task, std::move(one)); }) return run(task, std::move(one));
            return std::nullopt;
        },
        action);
    if (work) co_await std::move(*work);
}

asio::awaitable<void> Actions::run(LiveTask& task, core::AcquireHostResources) {
    const HostAnswer answer = co_await tools_.host.join(task.state());
    switch (answer.verdict) {
        case HostAnswer::Verdict::Granted:
            NODEAGENT_POINT("host.granted");
            task.tell(core::HostResourcesGranted{});
            break;
        case HostAnswer::Verdict::Refused: task.tell(core::HostResourcesRefused{answer.reason}); break;
        case HostAnswer::Verdict::Left: break;
    }
}

asio::awaitable<void> Actions::run(LiveTask& task, core::InspectContainers) {
    // names and ids first: the state changes while we look
    std::vector<std::pair<std::string, std::string>> created;
    for (const core::ContainerState& container : task.state().containers) {
        if (!container.runtime_id.empty()) created.emplace_back(container.name, container.runtime_id);
    }
    co_await tools_.link.wait_reachable();
    for (const auto& [name, id] : created) {
        Result<runtime::ContainerView> view = co_await tools_.observer.look(id);
        if (view) {
            core::Observation seen = observation(*std::move(view), tools_.vault, task.state().arn);
            task.tell(core::ContainerObserved{name, std::move(seen)});
        } else if (view.error().kind == ErrorKind::NotFound) {
            task.tell(core::ContainerVanished{name});
        }
    }
}

}  // namespace nodeagent::engine
