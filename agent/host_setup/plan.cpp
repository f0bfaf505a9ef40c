#include "agent/host_setup/plan.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace nodeagent::host_setup {

namespace {

constexpr std::string_view kRouteText = "169.254.170.2/32 over the loopback interface";

std::string place_text(Family family, const std::string& table, const std::string& chain) {
    return std::string(program_of(family)) + " " + table + " " + chain;
}

/// One rule of ours as it stands in its chain.
struct Standing {
    const Rule* rule = nullptr;
    std::vector<std::size_t> positions{};
    bool below_its_place = false;
};

std::vector<Standing> standings(const std::vector<const Rule*>& rules, const SavedChain& chain) {
    std::vector<Standing> all;
    for (const Rule* rule : rules) {
        Standing one{.rule = rule};
        const std::string meaning = canonical(rule->arguments);
        for (std::size_t i = 0; i < chain.size(); ++i) {
            if (chain[i].meaning == meaning) one.positions.push_back(i);
        }
        all.push_back(std::move(one));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].rule->ordered || !all[i].rule->wanted || all[i].positions.empty()) continue;
        for (std::size_t later = i + 1; later < all.size(); ++later) {
            const Standing& other = all[later];
            if (!other.rule->ordered || !other.rule->wanted || other.positions.empty()) continue;
            if (other.positions.front() < all[i].positions.front()) all[i].below_its_place = true;
        }
    }
    return all;
}

State state_of(const Standing& one) {
    if (!one.rule->wanted) return one.positions.empty() ? State::Ok : State::Unwanted;
    if (one.positions.empty()) return State::Missing;
    if (one.positions.size() > 1) return State::Duplicate;
    return one.below_its_place ? State::Misplaced : State::Ok;
}

std::string text_of(const Standing& one) {
    if (one.positions.empty()) return "not there";
    if (one.positions.size() > 1) return std::to_string(one.positions.size()) + " times";
    return one.below_its_place ? "below a rule that it must precede" : "there";
}

/// The lines for iptables-restore that put a chain right; "" when it is.
std::string chain_commands(const std::vector<Standing>& all, const std::string& chain) {
    std::string gone;
    std::string come;
    const auto erase = [&](const Standing& one, std::size_t copies) {
        for (std::size_t i = 0; i < copies; ++i) gone += "-D " + chain + " " + one.rule->arguments + "\n";
    };
    // A rule that is put first stands before those it must follow, so the ordered ones are written together.
    const bool rewrite = std::any_of(all.begin(), all.end(), [](const Standing& one) {
        return one.rule->ordered && one.rule->wanted && state_of(one) != State::Ok;
    });
    for (auto one = all.rbegin(); one != all.rend(); ++one) {
        // -D takes the uppermost copy, and of a rule that is to be first the lowest would be the wrong one to keep
        const bool copies = one->positions.size() > 1;
        const bool anew = one->rule->ordered ? rewrite : copies && one->rule->first;
        if (!one->rule->wanted || anew) {
            erase(*one, one->positions.size());
        } else if (copies) {
            erase(*one, one->positions.size() - 1);
        }
        if (!one->rule->wanted) continue;
        if (anew || one->positions.empty()) {
            come += std::string(one->rule->first ? "-I " : "-A ") + chain + " " + one->rule->arguments + "\n";
        }
    }
    return gone + come;
}

struct Chains {
    std::string declared;  ///< chains of ours that are made or emptied
    std::string rules;
    std::string removed;
};

void compare_own_chain(const OwnChain& own, const SavedTables& tables, Chains& commands,
                       std::vector<Finding>& findings) {
    const bool there = has_chain(tables, own.table, own.name);
    Finding finding{.what = own.what,
                    .where = place_text(own.family, own.table, own.name),
                    .should = own.wanted ? std::to_string(own.rules.size()) + " rules" : "",
                    .is = there ? "there" : "not there"};
    if (!own.wanted) {
        if (!there) return;
        finding.state = State::Unwanted;
        commands.removed += "-F " + own.name + "\n-X " + own.name + "\n";
    } else {
        const SavedChain& has = chain_of(tables, own.table, own.name);
        const bool same = there && std::equal(has.begin(), has.end(), own.rules.begin(), own.rules.end(),
                                              [](const SavedRule& saved, const std::string& arguments) {
                                                  return saved.meaning == canonical(arguments);
                                              });
        if (!same) {
            finding.state = State::Missing;
            if (there) finding.is = "other rules";
            commands.declared += ":" + own.name + " - [0:0]\n";
            for (const std::string& rule : own.rules) commands.rules += "-A " + own.name + " " + rule + "\n";
        }
    }
    findings.push_back(std::move(finding));
}

bool concerns_the_agent(const std::string& meaning) {
    for (const std::string_view sign : {"--dport 51678", "--dport 51679", "169.254.170.2/32", ":51679"}) {
        if (meaning.find(sign) != std::string::npos) return true;
    }
    return false;
}

void find_foreign(const Wanted& wanted, Family family, const SavedTables& tables, std::vector<Finding>& findings) {
    std::set<std::string> ours;
    for (const Rule& rule : wanted.rules) ours.insert(canonical(rule.arguments));
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kLookedAt{
        {{"filter", "INPUT"}, {"nat", "PREROUTING"}, {"nat", "OUTPUT"}}};
    for (const auto& [table, chain] : kLookedAt) {
        for (const SavedRule& rule : chain_of(tables, table, chain)) {
            if (ours.contains(rule.meaning) || !concerns_the_agent(rule.meaning)) continue;
            findings.push_back({.state = State::Foreign,
                                .what = "somebody else's rule",
                                .where = place_text(family, std::string(table), std::string(chain)),
                                .should = {},
                                .is = rule.arguments});
        }
    }
}

void find_other_kind(const Wanted& wanted, const Present& present, std::vector<Finding>& findings) {
    for (const Rule& rule : wanted.rules) {
        const auto tables = present.other_tables.find(rule.family);
        if (tables == present.other_tables.end()) continue;
        const std::string meaning = canonical(rule.arguments);
        const SavedChain& chain = chain_of(tables->second, rule.table, rule.chain);
        const auto copies =
            std::count_if(chain.begin(), chain.end(), [&](const SavedRule& one) { return one.meaning == meaning; });
        if (copies == 0) continue;
        const std::string program = std::string(program_of(rule.family)) + "-" + present.other_kind;
        findings.push_back({.state = State::OtherKind,
                            .what = rule.what,
                            .where = program + " " + rule.table + " " + rule.chain,
                            .should = {},
                            .is = copies == 1 ? "there" : std::to_string(copies) + " times",
                            .remedy = program + " -w -t " + rule.table + " -D " + rule.chain + " " + rule.arguments});
    }
}

struct FilterPlan {
    std::map<std::pair<Family, std::string>, std::string> by_table;  ///< commands without *table and COMMIT
};

void plan_filter(const Wanted& wanted, const Present& present, FilterPlan& changes, std::vector<Finding>& findings) {
    std::map<std::pair<Family, std::string>, Chains> chains;
    for (const OwnChain& own : wanted.chains) {
        const auto tables = present.tables.find(own.family);
        if (tables == present.tables.end()) continue;
        compare_own_chain(own, tables->second, chains[{own.family, own.table}], findings);
    }
    std::vector<std::vector<const Rule*>> by_chain;  // in the list's order, so that findings are, too
    for (const Rule& rule : wanted.rules) {
        const auto same = std::find_if(by_chain.begin(), by_chain.end(), [&](const std::vector<const Rule*>& one) {
            return one.front()->family == rule.family && one.front()->table == rule.table &&
                   one.front()->chain == rule.chain;
        });
        if (same == by_chain.end()) {
            by_chain.push_back({&rule});
        } else {
            same->push_back(&rule);
        }
    }
    for (const auto& rules : by_chain) {
        const Rule& any = *rules.front();
        const auto tables = present.tables.find(any.family);
        if (tables == present.tables.end()) {
            const auto why = present.unreadable.find(any.family);
            for (const Rule* rule : rules) {
                if (!rule->wanted) continue;
                findings.push_back({.state = State::Unknown,
                                    .what = rule->what,
                                    .where = place_text(any.family, any.table, any.chain),
                                    .should = rule->arguments,
                                    .is = why == present.unreadable.end() ? "cannot be told" : why->second});
            }
            continue;
        }
        const std::vector<Standing> all = standings(rules, chain_of(tables->second, any.table, any.chain));
        for (const Standing& one : all) {
            const State state = state_of(one);
            if (!one.rule->wanted && state == State::Ok) continue;
            findings.push_back({.state = state,
                                .what = one.rule->what,
                                .where = place_text(any.family, any.table, any.chain),
                                .should = one.rule->wanted ? one.rule->arguments : std::string(),
                                .is = text_of(one)});
        }
        chains[{any.family, any.table}].rules += chain_commands(all, any.chain);
    }
    for (auto& [place, commands] : chains) {
        std::string text = commands.declared + commands.rules + commands.removed;
        if (!text.empty()) changes.by_table.emplace(place, std::move(text));
    }
    for (const auto& [family, tables] : present.tables) find_foreign(wanted, family, tables, findings);
    find_other_kind(wanted, present, findings);
}

struct HostPlan {
    std::vector<Step> sysctls;
    std::vector<Step> routes;
};

const std::optional<std::string>& value_of_key(const Present& present, const std::string& key) {
    static const std::optional<std::string> kNone;
    const auto found = present.sysctls.find(key);
    return found == present.sysctls.end() ? kNone : found->second;
}

HostPlan plan_host(const Wanted& wanted, const Present& present, std::vector<Finding>& findings) {
    HostPlan host;
    const bool guarded = std::any_of(wanted.rules.begin(), wanted.rules.end(),
                                     [](const Rule& rule) { return rule.wanted && rule.what == kLocalhostFilter; });
    for (const Sysctl& sysctl : wanted.sysctls) {
        const std::optional<std::string>& now = value_of_key(present, sysctl.key);
        if (!now && sysctl.optional) continue;
        std::string should = sysctl.value;
        if (!sysctl.copied_from.empty()) should = value_of_key(present, sysctl.copied_from).value_or("0");
        Finding finding{.state = State::Ok,
                        .what = sysctl.what,
                        .where = "sysctl " + sysctl.key,
                        .should = should,
                        .is = now.value_or("no such sysctl")};
        if (!now) finding.state = State::Unknown;
        if (now && *now != should) {
            finding.state = State::Missing;
            const bool needs = guarded && sysctl.key == kRouteLocalnet && should != "0";
            if (needs && !present.tables.contains(Family::Ipv4)) {
                finding.remedy = "not set: without the localhost filter it would open 127.0.0.0/8 to the network";
            } else {
                host.sysctls.emplace_back(SysctlChange{.key = sysctl.key, .value = should, .needs_filter = needs});
            }
        }
        findings.push_back(std::move(finding));
    }
    if (wanted.loopback_route) {
        findings.push_back({.state = present.loopback_route ? State::Ok : State::Missing,
                            .what = "a way to credentials without IPv4 routes",
                            .where = "route",
                            .should = std::string(kRouteText),
                            .is = present.loopback_route ? "there" : "not there"});
        if (!present.loopback_route) host.routes.emplace_back(RouteChange{.add = true});
    }
    if (wanted.no_loopback_route && present.loopback_route) {
        findings.push_back({.state = State::Unwanted,
                            .what = "a way to credentials without IPv4 routes",
                            .where = "route",
                            .should = {},
                            .is = "there"});
        host.routes.emplace_back(RouteChange{.add = false});
    }
    return host;
}

}  // namespace

std::string_view to_string(State state) {
    switch (state) {
        case State::Ok: return "ok";
        case State::Missing: return "missing";
        case State::Duplicate: return "duplicate";
        case State::Misplaced: return "misplaced";
        case State::Unwanted: return "unwanted";
        case State::Foreign: return "foreign";
        case State::OtherKind: return "other kind";
        case State::Unknown: return "unknown";
    }
    return {};
}

bool is_right(State state) { return state == State::Ok || state == State::Foreign; }

bool all_right(const std::vector<Finding>& findings) {
    return std::all_of(findings.begin(), findings.end(), [](const Finding& one) { return is_right(one.state); });
}

Plan plan(const Wanted& wanted, const Present& present) {
    Plan all;
    FilterPlan filter;
    plan_filter(wanted, present, filter, all.findings);
    HostPlan host = plan_host(wanted, present, all.findings);

    const auto tables = [&](std::initializer_list<std::string_view> order) {
        for (const std::string_view table : order) {
            for (const Family family : {Family::Ipv4, Family::Ipv6}) {
                const auto change = filter.by_table.find({family, std::string(table)});
                if (change == filter.by_table.end()) continue;
                all.steps.emplace_back(
                    FilterChange{.family = family,
                                 .table = std::string(table),
                                 .commands = "*" + std::string(table) + "\n" + change->second + "COMMIT\n"});
            }
        }
    };
    const auto move_in = [&](std::vector<Step>& steps) {
        for (Step& step : steps) all.steps.push_back(std::move(step));
    };
    if (wanted.no_loopback_route) {  // all of it goes
        tables({"nat"});
        move_in(host.sysctls);
        move_in(host.routes);
        tables({"raw", "filter"});
    } else {
        tables({"filter", "raw"});
        move_in(host.sysctls);
        move_in(host.routes);
        tables({"nat"});
    }
    return all;
}

}  // namespace nodeagent::host_setup
