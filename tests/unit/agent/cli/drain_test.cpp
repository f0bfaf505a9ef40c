#include "agent/cli/drain.hpp"

#include <gmock/gmock.h>

#include <array>

namespace nodeagent::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DrainCommand : public testing::Test {
  protected:
    Result<void> run(std::vector<const char*> words) {
        const auto arguments = parse_arguments(words);
        if (!arguments) return arguments.error();
        return drain(*arguments,
                     {.call =
                          [this](const std::string& method, const std::string& target, const std::string& body) {
                              asked.push_back(method + " " + target + (body.empty() ? "" : " " + body));
                              return answer();
                          },
                      .print = [this](const std::string& text) { printed += text; },
                      .pause = [this] { ++pauses; }});
    }
    Result<Reply> answer() {
        if (refused) return Reply{.status = 503, .body = R"({"error":"not registered yet"})"};
        const int now = left;
        if (left > 0) --left;
        return Reply{
            .status = 200,
            .body = R"({"draining":true,"cause":"the operator","tasksOnly":false,"ecsTold":true,"tasksLeft":)" +
                    std::to_string(now) + "}"};
    }

    int left = 2;
    int pauses = 0;
    bool refused = false;
    std::vector<std::string> asked;
    std::string printed;
};

TEST_F(DrainCommand, AsksOnceAndSaysHowManyTasksAreLeft) {
    ASSERT_TRUE(run({"drain"}));
    EXPECT_THAT(asked, ElementsAre(R"(POST /v1/drain {"tasksOnly":false})"));
    EXPECT_EQ(printed, "draining, by the operator; 2 tasks left; ECS has been told\n");
}

TEST_F(DrainCommand, WithWaitPrintsALinePerSecondUntilNoTaskIsLeft) {
    ASSERT_TRUE(run({"drain", "--wait"}));
    EXPECT_THAT(asked, ElementsAre(R"(POST /v1/drain {"tasksOnly":false})", "GET /v1/drain", "GET /v1/drain"));
    EXPECT_EQ(pauses, 2);
    EXPECT_THAT(printed, HasSubstr("1 task left"));
    EXPECT_THAT(printed, HasSubstr("0 tasks left"));
}

TEST_F(DrainCommand, OfTasksOnlySaysSoToTheAgent) {
    ASSERT_TRUE(run({"drain", "--tasks-only"}));
    EXPECT_THAT(asked, ElementsAre(R"(POST /v1/drain {"tasksOnly":true})"));
}

TEST_F(DrainCommand, UndrainAsksForTheEnd) {
    ASSERT_TRUE(run({"undrain"}));
    EXPECT_THAT(asked, ElementsAre("POST /v1/undrain"));
}

TEST_F(DrainCommand, PassesOnWhyTheAgentRefuses) {
    refused = true;
    EXPECT_THAT(run({"drain", "--wait"}).error().what, HasSubstr("not registered yet"));
}

TEST_F(DrainCommand, OptionsOfDrainAreRefusedElsewhere) {
    EXPECT_THAT(run({"status", "--wait"}).error().what, HasSubstr("belong to drain"));
}

TEST(ControlSocket, WithoutAnAgentIsNamedWithTheRemedy) {
    const auto reply = call_unix("/nonexistent/control.sock", "GET", "/v1/drain", "", std::chrono::seconds(1));
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().what, HasSubstr("systemctl status ecs"));
}

}  // namespace
}  // namespace nodeagent::cli
