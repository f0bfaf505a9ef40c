#include "agent/local/scheduler.hpp"

namespace nodeagent::local {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

ContainerInstance instance(const std::string& arn, std::int64_t cpu = 1024, std::int64_t memory = 1000) {
    ContainerInstance made;
    made.arn = arn;
    made.status = "ACTIVE";
    Resource cpus;
    cpus.name = "CPU";
    cpus.integer_value = cpu;
    Resource mib;
    mib.name = "MEMORY";
    mib.integer_value = memory;
    Resource ports;
    ports.name = "PORTS";
    ports.string_set_value = {"22"};
    made.resources = {cpus, mib, ports};
    return made;
}

Candidate free_candidate(const std::string& arn, std::int64_t cpu = 1024, std::int64_t memory = 1000) {
    return make_candidate(instance(arn, cpu, memory), true, {});
}

PlacementRequest request(std::int64_t cpu, std::int64_t memory, std::int64_t count = 1) {
    PlacementRequest asked;
    asked.demand.cpu = cpu;
    asked.demand.memory = memory;
    asked.group = "family:f";
    asked.count = count;
    return asked;
}

TEST(Scheduler, SpreadsTasksOverInstances) {
    const auto outcome = place({free_candidate("a"), free_candidate("b")}, request(100, 100, 4));
    ASSERT_TRUE(outcome);
    std::map<std::string, int> tasks;
    for (const Placed& placed : outcome->placed) ++tasks[placed.instance_arn];
    EXPECT_EQ(tasks["a"], 2);
    EXPECT_EQ(tasks["b"], 2);
}

TEST(Scheduler, SaysWhichResourceOfWhichInstanceIsShort) {
    Candidate away = free_candidate("d");
    away.connected = false;
    PlacementRequest asked = request(200, 200);
    asked.demand.tcp_ports = {22};
    const auto outcome =
        place({free_candidate("a", 100), free_candidate("b", 1024, 100), free_candidate("c"), away}, asked);
    ASSERT_TRUE(outcome);
    EXPECT_THAT(outcome->placed, IsEmpty());
    EXPECT_THAT(outcome->failures, ElementsAre(Field(&PlacementFailure::reason, "RESOURCE:CPU"),
                                               Field(&PlacementFailure::reason, "RESOURCE:MEMORY"),
                                               Field(&PlacementFailure::reason, "RESOURCE:PORTS"),
                                               Field(&PlacementFailure::reason, "AGENT")));
}

TEST(Scheduler, CountsWhatItPlacedInTheSameCall) {
    PlacementRequest asked = request(400, 10, 5);
    const auto outcome = place({free_candidate("a")}, asked);
    ASSERT_TRUE(outcome);
    EXPECT_THAT(outcome->placed, SizeIs(2));
    EXPECT_THAT(outcome->failures, ElementsAre(Field(&PlacementFailure::reason, "RESOURCE:CPU")));
}

TEST(Scheduler, PlacesAHostPortOncePerInstance) {
    PlacementRequest asked = request(1, 1, 2);
    asked.demand.tcp_ports = {8080};
    const auto outcome = place({free_candidate("a")}, asked);
    ASSERT_TRUE(outcome);
    EXPECT_THAT(outcome->placed, SizeIs(1));
    EXPECT_THAT(outcome->failures, ElementsAre(Field(&PlacementFailure::reason, "RESOURCE:PORTS")));
}

TEST(Scheduler, TakesRunningTasksOff) {
    Task running;
    running.demand.cpu = 1000;
    running.last_status = "RUNNING";
    const Candidate busy = make_candidate(instance("a"), true, {&running});
    EXPECT_EQ(busy.cpu, 24);
    EXPECT_EQ(busy.facts.find("runningTasksCount")->second, "1");
}

TEST(Scheduler, HonoursDistinctInstanceAndMemberOf) {
    Candidate fitting = free_candidate("b");
    fitting.facts.emplace("attribute:stack", "prod");
    PlacementRequest asked = request(1, 1, 2);
    asked.constraints = {{.type = "distinctInstance", .expression = {}},
                         {.type = "memberOf", .expression = "attribute:stack == prod"}};
    const auto outcome = place({free_candidate("a"), fitting}, asked);
    ASSERT_TRUE(outcome);
    ASSERT_THAT(outcome->placed, SizeIs(1));
    EXPECT_EQ(outcome->placed[0].instance_arn, "b");
    EXPECT_THAT(outcome->failures,
                ElementsAre(Field(&PlacementFailure::reason, "MemberOf placement constraint unsatisfied."),
                            Field(&PlacementFailure::reason, "DistinctInstance placement constraint unsatisfied.")));
}

TEST(Scheduler, RefusesAnInstanceWithoutACapabilityTheTaskNeeds) {
    PlacementRequest asked = request(1, 1);
    asked.attributes = {{.name = "ecs.capability.task-eni", .value = std::nullopt}};
    const auto outcome = place({free_candidate("a")}, asked);
    ASSERT_TRUE(outcome);
    EXPECT_THAT(outcome->failures, ElementsAre(Field(&PlacementFailure::reason, "ATTRIBUTE")));
}

TEST(Scheduler, PacksByMemoryWhenAsked) {
    PlacementRequest asked = request(1, 10, 3);
    asked.strategies = {{.type = "binpack", .field = "memory"}};
    const auto outcome = place({free_candidate("roomy", 1024, 900), free_candidate("tight", 1024, 100)}, asked);
    ASSERT_TRUE(outcome);
    EXPECT_THAT(outcome->placed, testing::Each(Field(&Placed::instance_arn, "tight")));
}

TEST(Scheduler, CallsABrokenExpressionAnInvalidParameter) {
    PlacementRequest asked = request(1, 1);
    asked.constraints = {{.type = "memberOf", .expression = "attribute:a =="}};
    const auto outcome = place({free_candidate("a")}, asked);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, "InvalidParameterException");
}

TEST(PlacementExpression, CombinesComparisonsListsAndNegation) {
    const Facts facts{{"attribute:zone", "a"}, {"attribute:size", "10"}, {"agentConnected", "true"}};
    const auto holds = [&](const char* expression) { return matches_expression(expression, facts).value(); };
    EXPECT_TRUE(holds("attribute:zone in [a, b] and attribute:size >= 9"));
    EXPECT_FALSE(holds("attribute:zone !in [a]"));
    EXPECT_TRUE(holds("not (attribute:zone == b or attribute:gpu exists)"));
    EXPECT_TRUE(holds("attribute:gpu !exists && agentConnected == true"));
    EXPECT_TRUE(holds("attribute:zone != b"));
}

TEST(PlacementExpression, NamesThePlaceOfAMistake) {
    for (const char* broken :
         {"", "attribute:a", "attribute:a == ", "(attribute:a == b", "attribute:a in b", "== b", "a == b )"}) {
        const auto outcome = matches_expression(broken, {});
        ASSERT_FALSE(outcome) << broken;
        EXPECT_THAT(outcome.error().what, testing::HasSubstr("at position")) << broken;
    }
}

}  // namespace
}  // namespace nodeagent::local
