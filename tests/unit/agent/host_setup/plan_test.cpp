#include "agent/host_setup/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/strings.hpp"
#include "agent/host_setup/report.hpp"
#include "saved_texts.hpp"

namespace nodeagent::host_setup {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto kAccept = "-p tcp --dport 51678 -i docker0 -j ACCEPT";
constexpr auto kDrop = "-p tcp --dport 51678 ! -i lo -j DROP";
constexpr auto kFilter =
    "--dst 127.0.0.0/8 ! --src 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP";
constexpr auto kDnat = "-p tcp -d 169.254.170.2 --dport 80 -j DNAT --to-destination 127.0.0.1:51679";
constexpr auto kRedirect = "-p tcp -d 169.254.170.2 --dport 80 -j REDIRECT --to-ports 51679";

Wishes on_docker() { return {.bridges = {"docker0"}, .ipv6 = false}; }

/// A host with those rules of INPUT, and everything else as it should be.
Present with_input(const std::vector<std::string>& rules) {
    Present present;
    std::string text = kReferenceSaved.substr(kReferenceSaved.find("*nat")) + "*filter\n:INPUT ACCEPT [0:0]\n";
    for (const std::string& rule : rules) text += "-A INPUT " + rule + "\n";
    present.tables[Family::Ipv4] = read_saved(text + "COMMIT\n");
    present.sysctls = {{std::string(kRouteLocalnet), "1"}, {"net/ipv4/conf/default/route_localnet", "0"}};
    return present;
}
Present as_the_reference_left_it() { return with_input({kAccept, kDrop, kFilter}); }

/// The steps in words.
std::vector<std::string> steps_of(const Plan& plan) {
    std::vector<std::string> words;
    for (const Step& step : plan.steps) {
        if (const auto* filter = std::get_if<FilterChange>(&step)) {
            words.push_back(std::string(program_of(filter->family)) + " " + filter->commands);
        } else if (const auto* sysctl = std::get_if<SysctlChange>(&step)) {
            words.push_back(sysctl->key + "=" + sysctl->value + (sysctl->needs_filter ? " after the filter" : ""));
        } else {
            words.emplace_back(std::get<RouteChange>(step).add ? "add route" : "remove route");
        }
    }
    return words;
}

/// INPUT after the step's commands, for a chain that was `before`: what iptables-restore would make of it.
std::vector<std::string> played(std::vector<std::string> before, const Plan& plan) {
    for (const Step& step : plan.steps) {
        const auto* change = std::get_if<FilterChange>(&step);
        if (change == nullptr || change->table != "filter" || change->family != Family::Ipv4) continue;
        for (const std::string_view line : split(change->commands, '\n')) {
            if (line.size() < 9 || line.substr(2, 7) != " INPUT ") continue;
            const std::string rule(line.substr(9));
            if (line.starts_with("-I")) before.insert(before.begin(), rule);
            if (line.starts_with("-A")) before.push_back(rule);
            if (line.starts_with("-D")) {
                const auto at = std::find(before.begin(), before.end(), rule);
                if (at == before.end()) {
                    ADD_FAILURE() << "deletes what is not there: " << rule;
                } else {
                    before.erase(at);
                }
            }
        }
    }
    return before;
}

State state_of(const Plan& plan, const std::string& what) {
    for (const Finding& one : plan.findings) {
        if (one.what == what) return one.state;
    }
    ADD_FAILURE() << "nothing is said of " << what;
    return State::Unknown;
}

TEST(HostSetupPlan, MakesTheReferencesRulesToTheByteAndInItsOrder) {
    Present bare;
    bare.tables[Family::Ipv4] = {};
    bare.sysctls = {{std::string(kRouteLocalnet), "0"}, {"net/ipv6/conf/docker0/accept_ra", "1"}};
    EXPECT_THAT(
        steps_of(plan(wanted(on_docker()), bare)),
        ElementsAre("iptables *filter\n-I INPUT " + std::string(kFilter) + "\n-I INPUT " + kDrop + "\n-I INPUT " +
                        kAccept + "\nCOMMIT\n",
                    "net/ipv4/conf/all/route_localnet=1 after the filter", "net/ipv6/conf/docker0/accept_ra=0",
                    "iptables *nat\n-A PREROUTING " + std::string(kDnat) + "\n-A OUTPUT " + kRedirect + "\nCOMMIT\n"));
}

TEST(HostSetupPlan, TakesUpWhatTheReferenceLeft) {
    const Plan now = plan(wanted(on_docker()), as_the_reference_left_it());
    EXPECT_THAT(now.steps, IsEmpty());
    EXPECT_TRUE(all_right(now.findings)) << report(now.findings);
}

TEST(HostSetupPlan, LeavesOneOfEveryRuleHoweverManyThereWere) {
    const std::vector<std::string> thrice{kAccept, kDrop, kFilter, "-i eth0 -j ACCEPT", kAccept, kDrop, kFilter,
                                          kAccept, kDrop, kFilter};
    const Plan now = plan(wanted(on_docker()), with_input(thrice));
    EXPECT_EQ(state_of(now, "no introspection from elsewhere"), State::Duplicate);
    EXPECT_EQ(state_of(now, "localhost filter"), State::Duplicate);
    EXPECT_FALSE(all_right(now.findings));
    EXPECT_THAT(now.steps, testing::SizeIs(1)) << "one transaction";
    EXPECT_THAT(played(thrice, now), ElementsAre(kAccept, kDrop, kFilter, "-i eth0 -j ACCEPT"));
}

TEST(HostSetupPlan, PutsTheBridgeBeforeTheDropWhicheverOfThemIsMissing) {
    for (const std::vector<std::string>& input : {std::vector<std::string>{kDrop, kAccept, kFilter},
                                                  {kDrop, kFilter},
                                                  {kAccept, kFilter},
                                                  {kFilter},
                                                  {},
                                                  {kFilter, kAccept, kDrop}}) {
        const Plan now = plan(wanted(on_docker()), with_input(input));
        EXPECT_THAT(played(input, now), ElementsAre(kAccept, kDrop, kFilter)) << join(input, "\n");
        EXPECT_TRUE(all_right(plan(wanted(on_docker()), with_input(played(input, now))).findings));
    }
    EXPECT_EQ(state_of(plan(wanted(on_docker()), with_input({kDrop, kAccept, kFilter})),
                       "introspection for containers on docker0"),
              State::Misplaced);
}

TEST(HostSetupPlan, LeavesRulesOfOthersWhereTheyAre) {
    const std::vector<std::string> input{"-i wg0 -p tcp -m tcp --dport 51678 -j ACCEPT", kAccept, kDrop,
                                         "-p tcp -m tcp --dport 22 -j ACCEPT", kFilter};
    const Plan now = plan(wanted(on_docker()), with_input(input));
    EXPECT_THAT(now.steps, IsEmpty());
    EXPECT_TRUE(all_right(now.findings));
    EXPECT_EQ(state_of(now, "somebody else's rule"), State::Foreign);
    EXPECT_THAT(report(now.findings), HasSubstr("-i wg0"));
    EXPECT_THAT(report(now.findings), Not(HasSubstr("--dport 22")));
}

TEST(HostSetupPlan, ObeysTheTwoSwitchesOfTheReference) {
    Wishes open = on_docker();
    open.localhost_filter = false;
    open.offhost_introspection = true;
    EXPECT_THAT(played({}, plan(wanted(open), with_input({}))), IsEmpty());
    EXPECT_THAT(played({kAccept, kDrop, kFilter}, plan(wanted(open), as_the_reference_left_it())), IsEmpty());

    Present closed = with_input({});
    closed.sysctls[std::string(kRouteLocalnet)] = "0";
    EXPECT_THAT(steps_of(plan(wanted(open), closed)), ElementsAre("net/ipv4/conf/all/route_localnet=1"));
}

TEST(HostSetupPlan, NeedsNoBridgeAndFollowsOneThatIsRenamed) {
    Wishes none = on_docker();
    none.bridges.clear();
    EXPECT_THAT(played({}, plan(wanted(none), with_input({}))), ElementsAre(kDrop, kFilter));

    Wishes renamed = on_docker();
    renamed.bridges = {"br1"};
    renamed.former_bridges = {"docker0"};
    EXPECT_THAT(played({kAccept, kDrop, kFilter}, plan(wanted(renamed), as_the_reference_left_it())),
                ElementsAre("-p tcp --dport 51678 -i br1 -j ACCEPT", kDrop, kFilter));
}

TEST(HostSetupPlan, NamesTheLoopbackInterfaceAsTheHostDoes) {
    Wishes wishes = on_docker();
    wishes.loopback = "loop0";
    EXPECT_THAT(played({}, plan(wanted(wishes), with_input({}))), Contains("-p tcp --dport 51678 ! -i loop0 -j DROP"));
}

TEST(HostSetupPlan, TakesAllAwayAndTheFilterLast) {
    Wishes wishes = on_docker();
    wishes.remove = true;
    Present present = with_input({kAccept, kDrop, kFilter, kAccept, kDrop, kFilter});
    present.loopback_route = true;
    const auto steps = steps_of(plan(wanted(wishes), present));
    ASSERT_EQ(steps.size(), 4U);
    EXPECT_THAT(steps[0], HasSubstr("*nat\n-D PREROUTING "));
    EXPECT_EQ(steps[1], "net/ipv4/conf/all/route_localnet=0");
    EXPECT_EQ(steps[2], "remove route");
    EXPECT_THAT(steps[3], HasSubstr("*filter\n-D INPUT "));
    EXPECT_THAT(played({kAccept, kDrop, kFilter, kAccept, kDrop, kFilter}, plan(wanted(wishes), present)), IsEmpty());
}

TEST(HostSetupPlan, GivesRouteLocalnetTheValueForNewInterfacesWhenAllGoes) {
    Wishes wishes = on_docker();
    wishes.remove = true;
    Present present = with_input({});
    present.sysctls["net/ipv4/conf/default/route_localnet"] = "1";
    EXPECT_THAT(steps_of(plan(wanted(wishes), present)), Not(Contains(HasSubstr("route_localnet"))));
}

TEST(HostSetupPlan, GivesAHostWithoutIpv4RoutesOneToTheCredentials) {
    Wishes wishes = on_docker();
    wishes.ipv4_default = false;
    Present present = as_the_reference_left_it();
    EXPECT_THAT(steps_of(plan(wanted(wishes), present)), ElementsAre("add route"));
    present.loopback_route = true;
    EXPECT_THAT(steps_of(plan(wanted(wishes), present)), IsEmpty());
    wishes.ipv4_default = true;  // one that came later does no harm
    EXPECT_TRUE(all_right(plan(wanted(wishes), present).findings));
}

TEST(HostSetupPlan, GuardsIntrospectionOverIpv6Too) {
    Wishes wishes = on_docker();
    wishes.ipv6 = true;
    Present present = as_the_reference_left_it();
    present.tables[Family::Ipv6] = {};
    EXPECT_THAT(
        steps_of(plan(wanted(wishes), present)),
        ElementsAre("ip6tables *filter\n-I INPUT " + std::string(kDrop) + "\n-I INPUT " + kAccept + "\nCOMMIT\n"));
}

TEST(HostSetupPlan, KeepsContainersOnABridgeFromTheInstancesRole) {
    Wishes wishes = on_docker();
    wishes.bridges = {"docker0", "ecs0"};
    wishes.ipv6 = true;
    wishes.block_imds = true;
    Present present = with_input({"-p tcp --dport 51678 -i ecs0 -j ACCEPT", kAccept, kDrop, kFilter});
    present.tables[Family::Ipv6] = {};
    const auto steps = steps_of(plan(wanted(wishes), present));
    EXPECT_THAT(steps, Contains("iptables *raw\n:ECS-IMDS - [0:0]\n"
                                "-A ECS-IMDS -d 169.254.169.254/32 -i docker0 -j DROP\n"
                                "-A ECS-IMDS -d 169.254.169.254/32 -i ecs0 -j DROP\n"
                                "-I PREROUTING -j ECS-IMDS\nCOMMIT\n"));
    EXPECT_THAT(steps, Contains(HasSubstr("-A ECS-IMDS -d fd00:ec2::254/128 -i docker0 -j DROP\n")));

    // there already: nothing to do; with another bridge: written anew; not wanted: gone
    const std::string blocked =
        "*raw\n:PREROUTING ACCEPT [0:0]\n:ECS-IMDS - [0:0]\n-A PREROUTING -j ECS-IMDS\n"
        "-A ECS-IMDS -d 169.254.169.254/32 -i docker0 -j DROP\nCOMMIT\n";
    wishes = on_docker();
    wishes.block_imds = true;
    present = as_the_reference_left_it();
    present.tables[Family::Ipv4].merge(read_saved(blocked));
    EXPECT_THAT(steps_of(plan(wanted(wishes), present)), IsEmpty());
    wishes.bridges.emplace_back("ecs0");
    EXPECT_THAT(steps_of(plan(wanted(wishes), present)), Contains(HasSubstr(":ECS-IMDS - [0:0]\n")));
    EXPECT_THAT(steps_of(plan(wanted(on_docker()), present)),
                ElementsAre("iptables *raw\n-D PREROUTING -j ECS-IMDS\n-F ECS-IMDS\n-X ECS-IMDS\nCOMMIT\n"));
}

TEST(HostSetupPlan, DoesNotOpenLoopbackWhereNoFilterCanGuardIt) {
    Present present;
    present.unreadable[Family::Ipv4] = "iptables not found: apt-get install iptables";
    present.sysctls = {{std::string(kRouteLocalnet), "0"}};
    const Plan now = plan(wanted(on_docker()), present);
    EXPECT_THAT(now.steps, IsEmpty());
    EXPECT_EQ(state_of(now, "localhost filter"), State::Unknown);
    EXPECT_THAT(report(now.findings), HasSubstr("would open 127.0.0.0/8"));
}

TEST(HostSetupPlan, SaysWhatTheOtherIptablesHolds) {
    Present present = as_the_reference_left_it();
    present.other_kind = "legacy";
    present.other_tables[Family::Ipv4] = read_saved(
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n-A INPUT ! -i lo -p tcp -m tcp --dport 51678 -j DROP\n"
        "-A INPUT ! -i lo -p tcp -m tcp --dport 51678 -j DROP\nCOMMIT\n");
    const Plan now = plan(wanted(on_docker()), present);
    EXPECT_THAT(now.steps, IsEmpty());
    EXPECT_FALSE(all_right(now.findings));
    EXPECT_THAT(report(now.findings), HasSubstr("2 times"));
    EXPECT_THAT(report(now.findings), HasSubstr("iptables-legacy -w -t filter -D INPUT " + std::string(kDrop)));
}

}  // namespace
}  // namespace nodeagent::host_setup
