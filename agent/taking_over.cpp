#include "agent/taking_over.hpp"

#include <utility>
#include <vector>

#include "agent/base/log.hpp"
#include "agent/engine/observation.hpp"

namespace nodeagent {

namespace {

constexpr const char* kReferenceContainer = "ecs-agent";  // host.md 1.8
constexpr std::string_view kReferenceImage = "ecs-agent";

using FoundSource = Result<std::optional<takeover::Source>>;

}  // namespace

asio::awaitable<ReferenceContainer> find_reference_container(runtime::Backend& backend) {
    const auto seen = co_await backend.inspect(kReferenceContainer);
    // a container of that name with another image is somebody's own
    if (!seen || seen->image.find(kReferenceImage) == std::string::npos) co_return ReferenceContainer{};
    const bool running = seen->phase == runtime::ContainerPhase::Running;
    co_return ReferenceContainer{.there = true,
                                 .running = running ? "the container ecs-agent (" + seen->image + ") still runs" : ""};
}

asio::awaitable<std::optional<Ending>> TakingOver::find() {
    const std::string& data_dir = parts_.config.data_dir;
    auto work = [data_dir, identity = parts_.identity]() -> FoundSource {
        return takeover::find_source(data_dir, identity);
    };
    FoundSource found = co_await parts_.pool.run(std::move(work));
    if (!found) {
        co_return Ending{kExitTerminal, found.error().what + "; " + takeover::remedy(found.error().kind, data_dir)};
    }
    if (!*found) co_return std::nullopt;
    found_ = *std::move(*found);
    if (found_->import.live() > 0 && !parts_.docker) {
        co_return Ending{kExitTerminal, std::to_string(found_->import.live()) + " tasks of amazon-ecs-agent in " +
                                            path() +
                                            " run on Docker, but ECS_RUNTIME is containerd; take them over with "
                                            "ECS_RUNTIME=docker, or drain the instance before the agent is replaced"};
    }
    if (!parts_.docker) co_return std::nullopt;
    const ReferenceContainer reference = co_await find_reference_container(parts_.backend);
    if (!reference.running.empty()) {
        co_return Ending{kExitTerminal, reference.running + "; " + takeover::remedy(ErrorKind::Conflict, data_dir)};
    }
    if (reference.there) {
        log::info("the stopped container of amazon-ecs-agent is still there; a roll back does not need it",
                  {{"container", kReferenceContainer}, {"remedy", "docker rm ecs-agent"}});
    }
    auto listing = co_await parts_.backend.list("");
    if (!listing) {
        co_return Ending{kExitRecoverable, with_context("list the containers to take over", listing.error()).what};
    }
    std::vector<core::Listed> lines;
    for (const runtime::ContainerView& view : *listing) lines.push_back(engine::listed(view));
    takeover::match_containers(found_->import, lines);
    co_return std::nullopt;
}

asio::awaitable<std::optional<Ending>> TakingOver::look(bool fresh, bool pending) {
    const std::string& data_dir = parts_.config.data_dir;
    if (pending) co_await put_away();
    if (fresh) {
        auto ending = co_await find();
        co_return ending;
    }
    const std::string database = takeover::file_in(data_dir, takeover::kDatabaseFile);
    if (pending || !takeover::is_there(database)) co_return std::nullopt;
    if (takeover::in_use(data_dir)) {
        co_return Ending{kExitTerminal, database + " is in use by another process; " +
                                            takeover::remedy(ErrorKind::Conflict, data_dir)};
    }
    log::warn(
        "amazon-ecs-agent's state is there too; it is not looked at, because this agent has state of its own",
        {{"file", database},
         {"remedy", "after a roll back, move ecs-node-agent.db away to take it over again; else remove the file"}});
    co_return std::nullopt;
}

void TakingOver::tell() const {
    const takeover::Import& import = found_->import;
    log::info("taking over from amazon-ecs-agent",
              {{"file", found_->path},
               {"version", import.agent_version},
               {"containerInstance", import.value(engine::kContainerInstanceArnKey)},
               {"cluster", import.value(engine::kClusterKey)},
               {"tasks", import.tasks.size()},
               {"live", import.live()}});
    for (const std::string& note : import.notes) log::warn("taking over from amazon-ecs-agent", {{"note", note}});
}

asio::awaitable<void> TakingOver::put_away() {
    auto work = [data_dir = parts_.config.data_dir] { return takeover::put_away(data_dir); };
    const Result<std::string> kept = co_await parts_.pool.run(std::move(work));
    found_.reset();
    if (!kept) {
        log::warn("amazon-ecs-agent's state is taken over, but its file keeps its name; trying again at the next start",
                  {{"cause", kept.error().what}});
        co_return;
    }
    if (!kept->empty()) log::info("amazon-ecs-agent's state is kept for a roll back", {{"file", *kept}});
    const auto erased = co_await parts_.store.erase(engine::Shelf::Metadata, std::string(engine::kTakeoverPendingKey));
    if (!erased) log::warn("a takeover is not recorded as complete", {{"cause", erased.error().what}});
}

}  // namespace nodeagent
