#include "agent/base/json.hpp"

#include "agent/model/payload.hpp"

namespace nodeagent {
namespace {

TEST(Json, NamesThePathOfAWrongType) {
    const auto message = decode<model::PayloadMessage>(R"({"tasks":[{"containers":[{},{},{"cpu":"many"}]}]})");
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().what, "tasks[0].containers[2].cpu: expected an integer, got a string");
}

TEST(Json, MatchesMemberNamesWithoutRegardToCaseAndIgnoresUnknownOnes) {
    const auto task = decode<model::Task>(R"({"ARN":"a","Family":"f","nonsense":[1]})");
    ASSERT_TRUE(task);
    EXPECT_EQ(task->arn, "a");
    EXPECT_EQ(task->family, "f");
}

TEST(Json, TreatsNullAsAbsent) {
    const auto container = decode<model::Container>(R"({"command":null,"memory":null,"environment":{"A":null}})");
    ASSERT_TRUE(container);
    EXPECT_FALSE(container->command.has_value());
    EXPECT_EQ(container->environment.at("A"), "");
}

TEST(Json, OmitsEmptyOptionalsWhenEncoding) {
    model::PortMapping mapping;
    mapping.container_port = 80;
    EXPECT_EQ(encode(mapping), R"({"containerPort":80})");
}

TEST(Json, NeverQuotesTheInputInAnError) {
    const auto document = parse_json(R"({"secret":"hunter2)");
    ASSERT_FALSE(document);
    EXPECT_THAT(document.error().what, testing::Not(testing::HasSubstr("hunter2")));
}

TEST(Json, RefusesWhateverFollowsTheDocument) {
    using namespace std::string_view_literals;
    EXPECT_TRUE(parse_json("{} \n"));
    for (const std::string_view text : {"{} x"sv, "{}{}"sv, "{}\0"sv, "null\0\0garbage"sv, "{\"a\":\"\0\"}"sv}) {
        ASSERT_FALSE(parse_json(text));
        EXPECT_THAT(parse_json(text).error().what, testing::StartsWith("invalid JSON at byte "));
    }
}

TEST(Json, RefusesHostileNesting) { EXPECT_FALSE(parse_json(std::string(100'000, '['))); }

}  // namespace
}  // namespace nodeagent
