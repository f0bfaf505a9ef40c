#include "agent/cli/drain.hpp"

#include <utility>

#include "agent/base/json.hpp"
#include "agent/cli/answers.hpp"
#include "agent/cli/table.hpp"
#include "agent/cli/views.hpp"

namespace nodeagent::cli {

namespace {

struct Answered {
    DrainAnswer report;
    std::string text;
};

Result<Answered> call(const DrainTools& tools, const std::string& method, const std::string& target,
                      const std::string& body) {
    Result<Reply> reply = tools.call(method, target, body);
    if (!reply) return std::move(reply).error();
    if (reply->status != 200) {
        const Result<ErrorAnswer> answer = decode<ErrorAnswer>(reply->body);
        const bool said = answer && !answer->error.empty();
        return Error{.kind = ErrorKind::Unavailable,
                     .what = said ? answer->error : "the agent answered with status " + std::to_string(reply->status)};
    }
    Result<DrainAnswer> report = decode<DrainAnswer>(reply->body);
    if (!report) return with_context("the agent's answer", std::move(report).error());
    return Answered{.report = *std::move(report), .text = std::move(reply->body)};
}

void show(const Arguments& arguments, const DrainTools& tools, const Answered& answered) {
    tools.print(arguments.json ? answered.text + "\n" : printable(drain_view(answered.report)) + "\n");
}

}  // namespace

Result<void> drain(const Arguments& arguments, const DrainTools& tools) {
    const bool begin = arguments.verb == Verb::Drain;
    const std::string wish = !begin ? "" : arguments.tasks_only ? R"({"tasksOnly":true})" : R"({"tasksOnly":false})";
    Result<Answered> answered = call(tools, "POST", begin ? "/v1/drain" : "/v1/undrain", wish);
    if (!answered) return std::move(answered).error();
    show(arguments, tools, *answered);
    if (!begin || !arguments.wait) return {};
    while (answered->report.tasks_left > 0) {
        tools.pause();
        answered = call(tools, "GET", "/v1/drain", {});
        if (!answered) return std::move(answered).error();
        if (!answered->report.draining) {
            return Error{.kind = ErrorKind::Conflict, .what = "the drain was ended by ecs-node undrain"};
        }
        show(arguments, tools, *answered);
    }
    return {};
}

}  // namespace nodeagent::cli
