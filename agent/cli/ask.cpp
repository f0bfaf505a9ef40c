#include "agent/cli/ask.hpp"

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/cli/answers.hpp"
#include "agent/cli/views.hpp"

namespace nodeagent::cli {

namespace {

std::string target_of(const Arguments& arguments) {
    switch (arguments.verb) {
        case Verb::Status: return "/v1/ext/status";
        case Verb::Tasks: return "/v1/ext/tasks";
        case Verb::Task:
        case Verb::Why: return "/v1/ext/task?id=" + percent_encode(arguments.id);
        case Verb::Events: return "/v1/ext/events";
        case Verb::Config: return "/v1/ext/config";
        case Verb::Logs:
        case Verb::Drain:
        case Verb::Undrain:
        case Verb::Help:
        case Verb::Version: break;
    }
    return "/";
}

template <class Answer>
Result<std::string> viewed(const std::string& body, std::string (*view)(const Answer&)) {
    const Result<Answer> answer = decode<Answer>(body);
    if (!answer) return with_context("the agent's answer", answer.error());
    return view(*answer);
}

// The reference answers any unknown path with its list of commands, and so does ours to other hosts.
bool is_command_list(const std::string& body) {
    const Result<Json> document = parse_json(body);
    return document && document->is_object() && document->contains("AvailableCommands");
}

}  // namespace

Result<std::string> ask(const Arguments& arguments, const Fetch& fetch) {
    const Result<Reply> reply = fetch(target_of(arguments));
    if (!reply) return reply.error();
    if (reply->status == 200 && is_command_list(reply->body)) {
        return Error{
            .kind = ErrorKind::NotFound,
            .what = "an agent answers at " + arguments.endpoint +
                    ", but not ecs-node: it is another agent, or it is asked from another host; run ecs-node on the "
                    "machine itself"};
    }
    if (reply->status != 200) {
        const Result<ErrorAnswer> answer = decode<ErrorAnswer>(reply->body);
        const std::string why_not =
            answer && !answer->error.empty() ? answer->error : "status " + std::to_string(reply->status);
        const bool about_a_task = arguments.verb == Verb::Task || arguments.verb == Verb::Why;
        return Error{.kind = reply->status == 404 ? ErrorKind::NotFound : ErrorKind::Unavailable,
                     .what = about_a_task ? why_not + "; ecs-node tasks lists those there are"
                                          : "the agent answered: " + why_not};
    }
    if (arguments.json) return reply->body.ends_with('\n') ? reply->body : reply->body + "\n";
    switch (arguments.verb) {
        case Verb::Status: return viewed<StatusAnswer>(reply->body, status_view);
        case Verb::Tasks: return viewed<TasksAnswer>(reply->body, tasks_view);
        case Verb::Task: return viewed<TaskAnswer>(reply->body, task_view);
        case Verb::Why: return viewed<TaskAnswer>(reply->body, why);
        case Verb::Events: return viewed<EventsAnswer>(reply->body, events_view);
        case Verb::Config: return viewed<SettingsAnswer>(reply->body, settings_view);
        case Verb::Logs:
        case Verb::Drain:
        case Verb::Undrain:
        case Verb::Help:
        case Verb::Version: break;
    }
    return Error{.kind = ErrorKind::Internal, .what = "this command asks nothing"};
}

}  // namespace nodeagent::cli
