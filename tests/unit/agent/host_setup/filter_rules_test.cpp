#include "agent/host_setup/filter_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/host_setup/filter_tables.hpp"
#include "agent/host_setup/loopback.hpp"
#include "agent/host_setup/wanted.hpp"
#include "saved_texts.hpp"

namespace nodeagent::host_setup {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// The positions of the rule in that chain.
std::vector<std::size_t> found(const SavedTables& tables, std::string_view table, std::string_view chain,
                               std::string_view arguments) {
    std::vector<std::size_t> positions;
    const SavedChain& rules = chain_of(tables, table, chain);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (rules[i].meaning == canonical(arguments)) positions.push_back(i);
    }
    return positions;
}

TEST(FilterRules, FindsEveryRuleOfTheReferenceAsIptablesPrintsIt) {
    const SavedTables saved = read_saved(kReferenceSaved);
    const Wanted all = wanted({.bridges = {"docker0"}, .ipv6 = false});
    for (const Rule& rule : all.rules) {
        if (!rule.wanted) continue;
        EXPECT_THAT(found(saved, rule.table, rule.chain, rule.arguments), SizeIs(1)) << rule.arguments;
    }
}

TEST(FilterRules, TakesSpellingsForOneRuleOnlyWhenTheyDoTheSame) {
    const std::string drop = canonical("-p tcp --dport 51678 ! -i lo -j DROP");
    EXPECT_EQ(drop, canonical("! -i lo -p tcp -m tcp --dport 51678 -j DROP"));
    EXPECT_EQ(drop, canonical("! --in-interface lo --protocol tcp --destination-port 51678 --jump DROP"));
    EXPECT_NE(drop, canonical("-i lo -p tcp -m tcp --dport 51678 -j DROP"));
    EXPECT_NE(drop, canonical("! -i lo -p tcp -m tcp --dport 51679 -j DROP"));
    EXPECT_NE(drop, canonical("! -i lo -p tcp -m tcp --dport 51678 -j REJECT"));
    EXPECT_NE(drop, canonical("! -i lo -s 10.0.0.0/8 -p tcp -m tcp --dport 51678 -j DROP"));
    EXPECT_NE(drop, canonical("! -i lo -p tcp -m tcp --dport 51678 -m comment --comment \"mine -j DROP\" -j DROP"));
    EXPECT_EQ(canonical("-d 169.254.170.2 -j DROP"), canonical("-d 169.254.170.2/32 -j DROP"));
    EXPECT_EQ(canonical("-d fd00:ec2::254 -j DROP"), canonical("-d fd00:ec2::254/128 -j DROP"));
    EXPECT_EQ(canonical("-m conntrack --ctstate DNAT,ESTABLISHED -j DROP"),
              canonical("-m conntrack --ctstate ESTABLISHED,DNAT -j DROP"));
    EXPECT_NE(canonical("-m conntrack ! --ctstate DNAT -j DROP"), canonical("-m conntrack --ctstate DNAT -j DROP"));
}

TEST(FilterRules, KnowsChainsWithoutRulesAndQuotedWords) {
    const SavedTables saved = read_saved(kReferenceSaved);
    EXPECT_TRUE(has_chain(saved, "filter", "FORWARD"));
    EXPECT_THAT(chain_of(saved, "filter", "FORWARD"), IsEmpty());
    EXPECT_FALSE(has_chain(saved, "filter", "DOCKER-USER"));
    EXPECT_FALSE(has_chain(saved, "raw", "PREROUTING"));
    const SavedTables quoted =
        read_saved("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment \"a \\\"b\\\" c\" -j DROP\nCOMMIT\n");
    EXPECT_EQ(chain_of(quoted, "filter", "INPUT").front().meaning, "--comment a \"b\" c -j DROP");
}

TEST(FilterRules, IsNotConfusedByTextThatIsNoTable) {
    EXPECT_THAT(read_saved(""), IsEmpty());
    EXPECT_THAT(read_saved("# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n"),
                IsEmpty());
    EXPECT_THAT(read_saved("-A INPUT -j DROP\n:INPUT"), IsEmpty());
    EXPECT_THAT(chain_of(read_saved("*filter\n-A INPUT\n-A\n:\n"), "filter", "INPUT"), SizeIs(1));
}

TEST(FilterRules, TellsTheKindsOfIptablesApart) {
    EXPECT_EQ(kind_of_iptables("iptables v1.8.9 (nf_tables)"), "nft");
    EXPECT_EQ(kind_of_iptables("iptables v1.8.9 (legacy)"), "legacy");
    EXPECT_EQ(kind_of_iptables("iptables v1.6.0"), "legacy");
}

TEST(LoopbackRoute, IsFoundInTheKernelsTable) {
    const std::string heading = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
    const std::string default_route = "eth0\t00000000\t0101000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
    const std::string own = "lo\t02AAFEA9\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n";
    EXPECT_TRUE(read_routes(heading + default_route, "lo").has_default);
    EXPECT_FALSE(read_routes(heading + default_route, "lo").to_credentials);
    EXPECT_FALSE(read_routes(heading + own, "lo").has_default);
    EXPECT_TRUE(read_routes(heading + own, "lo").to_credentials);
    EXPECT_FALSE(read_routes(heading + own, "loop0").to_credentials);
    EXPECT_FALSE(
        read_routes(heading + "eth0\t00000000\t0101000A\t0203\t0\t0\t100\t00000000\t0\t0\t0\n", "lo").has_default)
        << "a default route that refuses is none";
    EXPECT_FALSE(
        read_routes(heading + "eth0\t00000000\t0101000A\t0003\t0\t0\t100\t000000F0\t0\t0\t0\n", "lo").has_default);
}

}  // namespace
}  // namespace nodeagent::host_setup
