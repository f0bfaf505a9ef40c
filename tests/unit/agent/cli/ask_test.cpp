#include "agent/cli/ask.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/cli/table.hpp"

namespace nodeagent::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Result<Arguments> parsed(std::vector<const char*> arguments) { return parse_arguments(arguments); }

/// An agent that knows one answer, and remembers what it was asked.
struct Agent {
    int status = 200;
    std::string body;
    std::string asked;

    Result<std::string> tell(std::vector<const char*> arguments) {
        const Result<Arguments> understood = parsed(std::move(arguments));
        if (!understood) return understood.error();
        return ask(*understood, [this](const std::string& target) {
            asked = target;
            return Result<Reply>(Reply{.status = status, .body = body});
        });
    }
    std::string text(std::vector<const char*> arguments) {
        const Result<std::string> answer = tell(std::move(arguments));
        return answer ? *answer : "error: " + answer.error().what;
    }
};

constexpr const char* kPending =
    R"({"arn":"arn:aws:ecs:us-west-2:1:task/default/09c8","id":"09c8","family":"hello","version":"11","desired":"RUNNING",
        "known":"NONE","sent":"NONE","waitingFor":"waits for CPU, memory, ports or GPUs of this host","stopReason":"","cpu":0.25,
        "memory":128,"containers":[{"name":"web","image":"nginx:1","known":"NONE","desired":"RUNNING","exitCode":null}]})";

constexpr const char* kStopped =
    R"({"arn":"a/09c8","id":"09c8","family":"hello","version":"11","desired":"STOPPED","known":"STOPPED","sent":"CREATED",
        "stopReason":"Essential container in task exited","containers":[{"name":"app","image":"busybox","runtimeId":"0123456789abcdef",
        "known":"STOPPED","desired":"STOPPED","exitCode":0,"health":"UNHEALTHY","ports":["0.0.0.0:32768->80/tcp"]},
        {"name":"log","known":"STOPPED","error":"CannotPullContainerError: denied"}]})";

TEST(Ask, SaysInOneSentenceWhatATaskWaitsFor) {
    Agent agent;
    agent.body = kPending;
    EXPECT_EQ(agent.text({"why", "09c8"}), "Task 09c8 (hello:11) waits for CPU, memory, ports or GPUs of this host.\n");
    EXPECT_EQ(agent.asked, "/v1/ext/task?id=09c8");
}

TEST(Ask, SaysWhichContainerKeepsATaskWaiting) {
    Agent agent;
    agent.body = R"({"arn":"a/1","id":"1","family":"f","version":"2","desired":"RUNNING","known":"NONE",
                     "waitingFor":"container web waits for image nginx:1 to be pulled"})";
    EXPECT_EQ(agent.text({"why", "1"}), "Task 1 (f:2): container web waits for image nginx:1 to be pulled.\n");
}

TEST(Ask, SaysWhyATaskStoppedAndThatEcsDoesNotKnowYet) {
    Agent agent;
    agent.body = kStopped;
    EXPECT_EQ(agent.text({"why", "09c8"}),
              "Task 09c8 (hello:11) has stopped: Essential container in task exited (app exited with 0, log: "
              "CannotPullContainerError: denied); ECS has not acknowledged it yet.\n");
}

TEST(Ask, SaysWhenATaskWaitsForNothing) {
    Agent agent;
    agent.body =
        R"({"arn":"a/1","id":"1","family":"f","version":"2","desired":"RUNNING","known":"RUNNING","sent":"RUNNING"})";
    EXPECT_EQ(agent.text({"why", "1"}), "Task 1 (f:2) waits for nothing: it is RUNNING, as ECS wants it.\n");
}

TEST(Ask, ShowsContainersOfATaskWithExitCodeZeroToo) {
    Agent agent;
    agent.body = kStopped;
    const std::string text = agent.text({"task", "arn:aws:ecs:us-west-2:1:task/default/09c8"});
    EXPECT_EQ(agent.asked, "/v1/ext/task?id=arn%3Aaws%3Aecs%3Aus-west-2%3A1%3Atask%2Fdefault%2F09c8");
    EXPECT_THAT(
        text, ContainsRegex("app +busybox +0123456789ab +STOPPED +STOPPED +0 +UNHEALTHY +- +0.0.0.0:32768->80/tcp +-"));
    EXPECT_THAT(text, HasSubstr("stop reason:"));
}

TEST(Ask, ShowsHowFarAPullIsAndWhyItIsTriedAgain) {
    Agent agent;
    agent.body =
        R"({"arn":"a/1","containers":[{"name":"web","image":"nginx:1","pull":{"queued":false,"attempt":2,
            "since":"2026-01-01T00:00:00Z","currentBytes":10485760,"totalBytes":41943040,"layers":5,"layersDone":2,
            "lastError":"connection refused","retryAt":null}},
            {"name":"db","image":"db:1","pull":{"queued":true,"since":"2026-01-01T00:00:00Z"}}]})";
    const std::string text = agent.text({"task", "1"});
    EXPECT_THAT(text, HasSubstr("pulling nginx:1 for web: [#####...............] 10.00 MiB of 40.00 MiB, "
                                "2 of 5 layers, since 2026-01-01T00:00:00Z; attempt 2, after: connection refused\n"));
    EXPECT_THAT(text, HasSubstr("pulling db:1 for db: queued behind other pulls, since 2026-01-01T00:00:00Z\n"));
}

TEST(Ask, ListsTasksWithWhatTheyWaitFor) {
    Agent agent;
    agent.body = std::string(R"({"tasks":[)") + kPending + "," + kStopped + "]}";
    const std::string text = agent.text({"tasks"});
    EXPECT_THAT(text, ContainsRegex("TASK +DEFINITION +DESIRED +KNOWN +SENT +CONTAINERS +NOTE"));
    EXPECT_THAT(text, ContainsRegex("09c8 +hello:11 +RUNNING +NONE +NONE +web +waits for CPU"));
    EXPECT_THAT(text, ContainsRegex("app,log +Essential container"));
    agent.body = R"({"tasks":[]})";
    EXPECT_EQ(agent.text({"tasks"}), "No tasks.\n");
}

TEST(Ask, ShowsTheStateOfTheAgent) {
    Agent agent;
    agent.body = R"({"version":"1.105.1","cluster":"prod","containerInstanceArn":"arn:x","acsConnected":true,
                     "acsConnectedSince":"2026-01-01T00:00:00Z","tcsConnected":false,"runtime":{"name":"docker","version":"20.10","reachable":false},
                     "tasks":{"running":2,"pending":1,"stopped":0,"waiting":1},"residentBytes":8388608,"openDescriptors":21})";
    const std::string text = agent.text({"status"});
    EXPECT_THAT(text, ContainsRegex("ECS session: +connected since 2026"));
    EXPECT_THAT(text, ContainsRegex("telemetry: +not connected"));
    EXPECT_THAT(text, ContainsRegex("runtime: +docker 20.10, NOT REACHABLE"));
    EXPECT_THAT(text, ContainsRegex("tasks: +2 running, 1 pending, 0 stopped; 1 waiting"));
    EXPECT_THAT(text, ContainsRegex("memory: +8.00 MiB"));
}

TEST(Ask, ShowsHowTheHostIsSetUp) {
    Agent agent;
    agent.body = R"({"version":"1","host":{"setup":{"at":"T","problems":["iptables not found: apt-get install iptables",
                     "another"],"instanceMetadataOpen":true}}})";
    std::string text = agent.text({"status"});
    EXPECT_THAT(text, ContainsRegex("HOST SET-UP: +iptables not found: apt-get install iptables; another\n"));
    EXPECT_THAT(text, ContainsRegex("instance metadata: +open to containers"));
    agent.body = R"({"version":"1","host":{"setup":{"at":"T","problems":[]}}})";
    text = agent.text({"status"});
    EXPECT_THAT(text, ContainsRegex("host set-up: +as it should be, T\n"));
    EXPECT_THAT(text, Not(HasSubstr("instance metadata")));
    agent.body = R"({"version":"1","host":{}})";
    EXPECT_THAT(agent.text({"status"}), Not(ContainsRegex("[Hh][Oo][Ss][Tt] [Ss][Ee][Tt]")));
}

TEST(Ask, ShowsEventsAndSettings) {
    Agent agent;
    agent.body =
        R"({"events":[{"time":"T1","task":"arn:x/09c8","container":"web","what":"RUNNING"},{"time":"T2","task":"arn:x/09c8","what":"RUNNING"}]})";
    EXPECT_THAT(agent.text({"events"}),
                AllOf(ContainsRegex("T1 +09c8 +web +RUNNING"), ContainsRegex("T2 +09c8 +- +RUNNING")));
    agent.body = R"({"settings":[{"name":"ECS_CLUSTER","value":"prod","source":"environment","active":true},
                     {"name":"ECS_ENGINE_AUTH_DATA","value":"oops","source":"environment","active":true,"secret":true},
                     {"name":"ECS_ENABLE_TASK_ENI","value":"true","source":"default","active":false}]})";
    const std::string text = agent.text({"config"});
    EXPECT_THAT(text, ContainsRegex("ECS_CLUSTER +environment +active +prod"));
    EXPECT_THAT(text, ContainsRegex("ECS_ENABLE_TASK_ENI +default +not active +true"));
    EXPECT_THAT(text, AllOf(HasSubstr("<redacted>"), Not(HasSubstr("oops"))));
}

TEST(Ask, GivesMachinesTheDocumentAsItCame) {
    Agent agent;
    agent.body = R"({"tasks":[],"of a later release":1})";
    EXPECT_EQ(agent.text({"tasks", "--json"}), agent.body + "\n");
}

TEST(Ask, ExplainsWhatWentWrong) {
    Agent agent;
    agent.status = 404;
    agent.body = R"({"error":"no task zz on this instance"})";
    const Result<std::string> got = agent.tell({"task", "zz"});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(got.error().what, "no task zz on this instance; ecs-node tasks lists those there are");
    agent.status = 200;
    agent.body = R"({"AvailableCommands":["/v1/metadata"]})";
    EXPECT_THAT(agent.text({"status", "--json"}), HasSubstr("it is another agent"));
    agent.body = "<html>";
    EXPECT_THAT(agent.text({"status"}), HasSubstr("the agent's answer: invalid JSON"));
    agent.body = R"({"tasks":[{"arn":5}]})";
    EXPECT_THAT(agent.text({"tasks"}), HasSubstr("tasks[0].arn: expected a string"));
}

TEST(Arguments, OfLogsHaveTheirOwnFlags) {
    const auto all = parsed({"logs", "09c8", "--container", "web", "-f", "--since=10m", "--tail", "0", "-t", "--json"});
    ASSERT_TRUE(all) << all.error().what;
    EXPECT_EQ(all->verb, Verb::Logs);
    EXPECT_EQ(all->id, "09c8");
    EXPECT_EQ(all->container, "web");
    EXPECT_EQ(all->since, "10m");
    EXPECT_EQ(all->tail, 0);
    EXPECT_TRUE(all->follow && all->timestamps && all->json);
    EXPECT_THAT(parsed({"logs"}).error().what, HasSubstr("needs the ID of a task"));
    EXPECT_THAT(parsed({"logs", "1", "--tail", "x"}).error().what, HasSubstr("no number of lines"));
    EXPECT_THAT(parsed({"logs", "1", "--since", "noon"}).error().what, HasSubstr("neither a span such as 10m"));
    EXPECT_THAT(parsed({"task", "1", "--follow"}).error().what, HasSubstr("belong to logs"));
    EXPECT_THAT(usage_of(Verb::Logs), AllOf(HasSubstr("ID [--container NAME]"), HasSubstr("logs:GetLogEvents")));
}

TEST(Arguments, AreExplainedWhenWrong) {
    EXPECT_THAT(parsed({}).error().what, HasSubstr("no command given"));
    EXPECT_THAT(parsed({"frob"}).error().what, HasSubstr("unknown command \"frob\""));
    EXPECT_THAT(parsed({"task"}).error().what, HasSubstr("needs the ID of a task"));
    EXPECT_THAT(parsed({"tasks", "x"}).error().what, HasSubstr("unexpected argument \"x\""));
    EXPECT_THAT(parsed({"tasks", "-x"}).error().what, HasSubstr("unknown option \"-x\""));
    EXPECT_THAT(parsed({"status", "--endpoint"}).error().what, HasSubstr("needs a value: --endpoint URL"));
    EXPECT_EQ(parsed({"--endpoint=http://h:1", "why", "x"})->endpoint, "http://h:1");
    EXPECT_TRUE(parsed({"why", "--help"})->help);
    EXPECT_THAT(usage_of(Verb::Why), HasSubstr("ID is a task ARN"));
}

TEST(Arguments, ACommandIsExplainedWithItsOwnFlagsOnly) {
    EXPECT_THAT(usage_of(Verb::Why), StartsWith("usage: ecs-node why ID [--json] [--endpoint URL]\n"));
    EXPECT_THAT(usage_of(Verb::Drain),
                StartsWith("usage: ecs-node drain [--wait] [--tasks-only] [--json] [--socket PATH]\n"));
    EXPECT_THAT(usage_of(Verb::Drain), Not(HasSubstr("--endpoint")));
    EXPECT_THAT(usage_of(Verb::Undrain), StartsWith("usage: ecs-node undrain [--json] [--socket PATH]\n"));
    EXPECT_THAT(usage_of(Verb::Status), AllOf(HasSubstr("--endpoint URL"), Not(HasSubstr("--socket"))));
}

TEST(Arguments, WrongOnesAreAnsweredWithTheCommandsUsageLine) {
    EXPECT_THAT(parsed({"undrain", "--frob"}).error().what,
                HasSubstr("usage: ecs-node undrain [--json] [--socket PATH]"));
    EXPECT_THAT(parsed({"task"}).error().what, HasSubstr("usage: ecs-node task ID [--json] [--endpoint URL]"));
    EXPECT_THAT(parsed({"frob"}).error().what, HasSubstr("ecs-node --help lists the commands"));
}

TEST(Table, DoesNotLetNamesSteerTheTerminal) {
    EXPECT_EQ(printable("a\x1b[31mb\nc\x7f"), "a?[31mb c?");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "?31m");
    EXPECT_EQ(printable("Größe"), "Größe");
}

TEST(Table, AlignsWideCharacters) {
    Table table({"A", "B"});
    table.add({"Größe", "x"});
    table.add({"plain", ""});
    EXPECT_EQ(table.text(), "A      B\nGröße  x\nplain  -\n");
}

}  // namespace
}  // namespace nodeagent::cli
