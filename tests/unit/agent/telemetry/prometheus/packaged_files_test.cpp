// The dashboard and the alert rules that are packaged ask for families that exist.

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "agent/telemetry/metrics.hpp"

namespace nodeagent::telemetry {
namespace {

std::set<std::string> known_names() {
    std::set<std::string> names;
    const auto add = [&](const auto& rows) {
        for (const auto& row : rows) names.insert(row.name);
    };
    add(agent_families());
    add(host_families());
    add(task_families());
    add(container_families());
    add(container_use_families());
    for (const StepFamily& family : {kContainerSteps, kTaskSteps}) names.insert(std::string(family.name) + "_bucket");
    return names;
}

std::set<std::string> names_in(const std::string& expression) {
    static const std::regex name(R"(\b(?:ecs|container)_[a-z0-9_]+)");
    return {std::sregex_token_iterator(expression.begin(), expression.end(), name), std::sregex_token_iterator()};
}

std::string content(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(std::string(NODEAGENT_PACKAGING) + "/" + name).rdbuf();
    return text.str();
}

TEST(PackagedFiles, EveryExpressionOfTheDashboardNamesFamiliesThatExist) {
    const auto dashboard = nlohmann::json::parse(content("grafana/ecs-node-agent.json"));
    const std::set<std::string> known = known_names();
    std::size_t expressions = 0;
    for (const auto& panel : dashboard.at("panels")) {
        if (!panel.contains("targets")) continue;
        for (const auto& target : panel.at("targets")) {
            ++expressions;
            const auto names = names_in(target.at("expr"));
            EXPECT_FALSE(names.empty()) << target.at("expr");
            for (const std::string& name : names)
                EXPECT_TRUE(known.contains(name)) << panel.at("title") << ": " << name;
        }
    }
    EXPECT_GT(expressions, 20U);
}

TEST(PackagedFiles, EveryAlertNamesFamiliesThatExist) {
    const std::set<std::string> known = known_names();
    const auto names = names_in(content("prometheus/ecs-node-agent.rules.yml"));
    EXPECT_GT(names.size(), 10U);
    for (const std::string& name : names) EXPECT_TRUE(known.contains(name)) << name;
}

}  // namespace
}  // namespace nodeagent::telemetry
