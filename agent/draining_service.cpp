#include "agent/draining_service.hpp"

#include <utility>

#include "agent/ecs/api_client.hpp"
#include "agent/ecs/registration.hpp"
#include "agent/endpoints.hpp"
#include "agent/engine/task_engine.hpp"

namespace nodeagent {

namespace {

asio::awaitable<void> stop_one(engine::TaskEngine& engine, std::string task_arn) {
    (void)co_await engine.stop_task(std::move(task_arn));
}

}  // namespace

asio::awaitable<void> DrainingService::begin(Parts parts, engine::StoredState stored) {
    parts_ = std::make_unique<Parts>(parts);
    DrainParts work{.shard = main_shard_,
                    .clock = parts_->clock,
                    .store = parts_->store,
                    .events = parts_->events,
                    .tell_ecs = [this](std::string state) { return tell_ecs(std::move(state)); },
                    .refuse_new_tasks = [this](std::string why) { parts_->engine.refuse_new_tasks(std::move(why)); },
                    .tasks_left = [this] { return parts_->engine.unstopped(); },
                    .stop_task = [this](std::string arn) { return stop_one(parts_->engine, std::move(arn)); },
                    .longest_stop = [this]() -> std::chrono::nanoseconds { return parts_->engine.longest_stop(); },
                    .changed = [this] { parts_->endpoints.draining(draining_->status()); }};
    draining_ = std::make_unique<Draining>(std::move(work));
    if (parts_->spot_interruptions) parts_->scope.spawn(drain_on_spot_action());
    co_await draining_->resume(stored);
}

bool DrainingService::draining() const { return draining_ && draining_->status().draining; }

void DrainingService::cancel() {
    if (draining_) draining_->cancel();
}

asio::awaitable<Result<metadata::DrainReport>> DrainingService::control(metadata::DrainCall call) {
    auto work = control_here(call);
    co_return co_await asio::co_spawn(main_shard_, std::move(work), asio::use_awaitable);
}

asio::awaitable<Result<metadata::DrainReport>> DrainingService::control_here(metadata::DrainCall call) {
    if (!draining_) {
        co_return Error{.kind = ErrorKind::Unavailable,
                        .what = "the agent has not registered yet and can drain nothing; ecs-node status"};
    }
    Result<void> done;
    switch (call) {
        case metadata::DrainCall::Ask: break;
        case metadata::DrainCall::Begin: done = co_await draining_->begin(false); break;
        case metadata::DrainCall::BeginTasksOnly: done = co_await draining_->begin(true); break;
        case metadata::DrainCall::End: done = co_await draining_->end(); break;
    }
    if (!done) co_return done.error();
    co_return draining_->status();
}

asio::awaitable<Result<void>> DrainingService::tell_ecs(std::string instance_state) {
    model::UpdateContainerInstancesStateRequest request;
    request.cluster = parts_->registered.cluster;
    request.container_instances = {parts_->registered.container_instance_arn};
    request.status = std::move(instance_state);
    const auto told = co_await parts_->api.update_container_instances_state(std::move(request));
    if (!told) co_return net::to_error("update container instances state", told.error());
    co_return Result<void>{};
}

asio::awaitable<void> DrainingService::drain_on_spot_action() {
    AskSpotAction ask = [this] { return parts_->imds.spot_instance_action(); };
    SpotAction action = co_await wait_for_spot_action(std::move(ask), parts_->clock);
    co_await draining_->spot(std::move(action));
}

}  // namespace nodeagent
