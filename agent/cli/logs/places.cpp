#include "agent/cli/logs/places.hpp"

#include <algorithm>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/cli/answers.hpp"

namespace nodeagent::cli {

const ContainerLogPlace* TaskLogPlaces::container(const std::string& name) const {
    const auto found = std::find_if(containers.begin(), containers.end(),
                                    [&](const ContainerLogPlace& place) { return place.name == name; });
    return found == containers.end() ? nullptr : &*found;
}

Result<TaskLogPlaces> ask_log_places(const AskAgent& agent, const std::string& id) {
    const auto reply = agent("/v1/logs?id=" + percent_encode(id));
    if (!reply) return reply.error();
    if (reply->status == 200) {
        auto places = decode<TaskLogPlaces>(reply->body);
        if (!places) return with_context("the agent's answer", std::move(places).error());
        return places;
    }
    const auto answer = decode<ErrorAnswer>(reply->body);
    const bool said = answer && !answer->error.empty();
    if (reply->status == 404 && !said) {
        return Error{.kind = ErrorKind::Unavailable,
                     .what =
                         "the agent that runs does not tell where logs are: it is older than this ecs-node; "
                         "systemctl restart ecs"};
    }
    const std::string why = said ? answer->error : "the agent answered with status " + std::to_string(reply->status);
    if (reply->status == 404 || reply->status == 409) {
        return Error{.kind = reply->status == 404 ? ErrorKind::NotFound : ErrorKind::Conflict,
                     .what = why + "; ecs-node tasks lists those there are"};
    }
    return Error{.kind = ErrorKind::Unavailable, .what = why};
}

Result<std::vector<std::string>> shown_containers(const TaskLogPlaces& task, const std::string& wanted) {
    std::vector<std::string> names;
    for (const ContainerLogPlace& place : task.containers) {
        if (wanted.empty() ? !place.internal : place.name == wanted) names.push_back(place.name);
    }
    if (!names.empty()) return names;
    std::vector<std::string> all;
    for (const ContainerLogPlace& place : task.containers) all.push_back(place.name);
    return Error{.kind = ErrorKind::NotFound,
                 .what = "the task has no container " + wanted + "; it has " + join(all, ", ")};
}

}  // namespace nodeagent::cli
