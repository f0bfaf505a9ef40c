#include "agent/host_setup/outcome.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/host_setup/settings_files.hpp"
#include "agent/host_setup_condition.hpp"
#include "runtime/docker/default_bridge.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::host_setup {
namespace {

using fakes::TempDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Finding finding(State state, std::string where, std::string is) {
    return {
        .state = state, .what = "localhost filter", .where = std::move(where), .should = "a rule", .is = std::move(is)};
}

TEST(HostSetupOutcome, SurvivesTheWayThroughItsFile) {
    const TempDirectory folder;
    const std::string path = folder.path() + "/new";
    EXPECT_FALSE(read_outcome(path));
    ASSERT_TRUE(write_outcome(
        {.at = "2026-12-01T05:00:00Z", .problems = {"p"}, .bridges = {"br1"}, .imds_blocked = true}, path));
    const auto read = read_outcome(path);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->at, "2026-12-01T05:00:00Z");
    EXPECT_THAT(read->problems, ElementsAre("p"));
    EXPECT_THAT(read->bridges, ElementsAre("br1"));
    EXPECT_TRUE(read->imds_blocked);
    ASSERT_TRUE(forget_outcome(path));
    ASSERT_TRUE(forget_outcome(path)) << "absent is fine";
    EXPECT_FALSE(read_outcome(path));
}

TEST(HostSetupOutcome, HasNoProblemWhereAllIsRightOrSomebodyElses) {
    const Applied applied{.done = {"iptables ..."},
                          .errors = {},
                          .findings = {finding(State::Ok, "iptables filter INPUT", "there"),
                                       finding(State::Foreign, "iptables filter INPUT", "-i wg0")}};
    EXPECT_THAT(outcome_of({}, applied, "now").problems, IsEmpty());
}

TEST(HostSetupOutcome, SaysOnceThatIptablesLacks) {
    const std::string lacks = "iptables not found: apt-get install iptables";
    const Applied applied{.done = {},
                          .errors = {},
                          .findings = {finding(State::Unknown, "iptables filter INPUT", lacks),
                                       finding(State::Unknown, "iptables nat OUTPUT", lacks)}};
    EXPECT_THAT(outcome_of({}, applied, "now").problems, ElementsAre(lacks));
}

TEST(HostSetupOutcome, SaysWhatFailedOnceWithItsCause) {
    const Applied applied{.done = {},
                          .errors = {"change table filter of iptables: no"},
                          .findings = {finding(State::Missing, "iptables filter INPUT", "not there")}};
    EXPECT_THAT(outcome_of({}, applied, "now").problems, ElementsAre("change table filter of iptables: no"));
}

TEST(HostSetupOutcome, CountsMetadataAsBlockedOnlyWhereEveryRuleOfItIsThere) {
    Wishes wishes{.block_imds = true, .bridges = {"docker0"}};
    Applied applied{.done = {}, .errors = {}, .findings = {finding(State::Ok, "iptables raw PREROUTING", "there")}};
    EXPECT_TRUE(outcome_of(wishes, applied, "now").imds_blocked);
    applied.findings.push_back(finding(State::Missing, "ip6tables raw PREROUTING", "not there"));
    EXPECT_FALSE(outcome_of(wishes, applied, "now").imds_blocked);
    applied.findings.pop_back();
    wishes.block_imds = false;
    EXPECT_FALSE(outcome_of(wishes, applied, "now").imds_blocked);
}

TEST(HostSetupCondition, KnowsOnlyOnEc2WhetherMetadataIsOpen) {
    const Outcome blocked{.at = "now", .problems = {}, .bridges = {"docker0"}, .imds_blocked = true};
    EXPECT_EQ(host_setup_condition(blocked, false).instance_metadata_open, std::nullopt);
    EXPECT_EQ(host_setup_condition(blocked, true).instance_metadata_open, false);
    EXPECT_EQ(host_setup_condition(Outcome{}, true).instance_metadata_open, true);
    EXPECT_EQ(host_setup_condition(std::nullopt, true).instance_metadata_open, true);
}

TEST(HostSetupCondition, SaysWhatToDoWhereNobodyHasSetTheHostUp) {
    EXPECT_THAT(host_setup_condition(std::nullopt, false).problems,
                ElementsAre(HasSubstr("ecs-node-agent host-setup")));
    EXPECT_THAT(host_setup_condition(Outcome{.at = "now", .problems = {}, .bridges = {}}, false).problems, IsEmpty());
}

TEST(SettingsFiles, AreReadAsTheServiceManagerAndTheReferenceWould) {
    const auto settings =
        read_settings("# a comment\n; another\n ECS_RUNTIME = containerd \nA=\"b c\"\nB='=d'\nC=\nnothing\n=x\n");
    EXPECT_EQ(config::value_of(settings, "ECS_RUNTIME"), "containerd");
    EXPECT_EQ(config::value_of(settings, "A"), "b c");
    EXPECT_EQ(config::value_of(settings, "B"), "=d");
    EXPECT_TRUE(settings.contains("C"));
    EXPECT_EQ(settings.size(), 4U);
}

TEST(DockerBridge, IsTheOneMarkedAsTheDefault) {
    const auto bridge = [](const char* text) { return runtime::docker::default_bridge_of(*parse_json(text)); };
    EXPECT_EQ(bridge(R"([{"Name":"web","Options":{"com.docker.network.bridge.name":"br9"}},
                         {"Name":"bridge","Options":{"com.docker.network.bridge.default_bridge":"true",
                                                     "com.docker.network.bridge.name":"docker7"}}])"),
              "docker7");
    EXPECT_EQ(bridge(R"([{"Name":"web","Options":{}},{"Name":"x","Options":null}])"), "");
    EXPECT_EQ(bridge(R"({"message":"no"})"), "");
    EXPECT_EQ(bridge(R"([{"Options":{"com.docker.network.bridge.default_bridge":"true"}}])"), "");
}

}  // namespace
}  // namespace nodeagent::host_setup
