#include "agent/config/report.hpp"

#include <algorithm>

#include "agent/config/flags.hpp"
#include "agent/config/settings.hpp"

namespace nodeagent::config {

namespace {

std::string padded(std::string_view text, std::size_t width) {
    std::string out(text);
    if (out.size() < width) out.append(width - out.size(), ' ');
    return out;
}

// Everything about a setting that is not its name, type, default and help.
std::string remarks(const Setting& setting) {
    std::string text;
    const auto add = [&text](std::string_view part) {
        if (part.empty()) return;
        if (!text.empty()) text += "; ";
        text += part;
    };
    if (!setting.expected.empty()) add("one of " + std::string(setting.expected));
    add(bounds_of(setting));
    if (setting.fatal_when_malformed) add("unreadable text is refused");
    if (!setting.active) add("accepted, not active");
    return text;
}

std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

std::string code(std::string_view text) { return text.empty() ? std::string() : "`" + cell(text) + "`"; }

template <class Rows>
std::string markdown_rows(const Rows& rows) {
    std::string out = "| variable | JSON key | type | default | meaning |\n|---|---|---|---|---|\n";
    for (const Setting* setting : rows) {
        std::string meaning(setting->help);
        if (const std::string more = remarks(*setting); !more.empty()) meaning += "; " + more;
        out += "| " + code(setting->variable) + " | " + code(setting->key) + " | " + cell(setting->kind) + " | " +
               (setting->default_text.empty() ? code(default_of(*setting)) : cell(setting->default_text)) + " | " +
               cell(meaning) + " |\n";
    }
    return out;
}

// The rows of each group, groups in the order of their first row.
std::vector<std::pair<Group, std::vector<const Setting*>>> grouped() {
    std::vector<std::pair<Group, std::vector<const Setting*>>> groups;
    for (const Setting& setting : settings()) {
        auto at = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == setting.group; });
        if (at == groups.end()) at = groups.insert(groups.end(), {setting.group, {}});
        at->second.push_back(&setting);
    }
    return groups;
}

}  // namespace

std::string help_text(std::string_view program) {
    std::string out =
        "usage: " + std::string(program) +
        " [flags]\n"
        "       " +
        std::string(program) +
        " host-setup [--check | --remove | --help]\n\n"
        "Runs the node agent: joins this machine to an Amazon ECS cluster and runs the tasks it is given.\n"
        "Settings come from the environment, then the JSON file named by ECS_AGENT_CONFIG_FILE_PATH, then EC2 user\n"
        "data ({\"ECSAgentConfiguration\":{...}}), then defaults; the first that gives a value wins.\n\n"
        "Flags (-flag and --flag are the same):\n";
    constexpr std::size_t kFlagWidth = 30;
    for (const Flag& flag : flags()) {
        std::string name = "  -" + std::string(flag.name);
        if (!flag.value.empty()) name += " " + std::string(flag.value);
        out += padded(name, kFlagWidth) + " " + std::string(flag.help) + "\n";
    }
    out += "\nExit codes: 0 a clean end, 1 an error that a restart may mend, 5 one that it cannot.\n";
    for (const auto& [group, rows] : grouped()) {
        out += "\n" + std::string(title(group)) + "\n";
        for (const Setting* setting : rows) {
            out += "  " + std::string(setting->name());
            if (setting->variable.empty()) out += " (file only)";
            out += "\n      " + std::string(setting->help) + "\n";
            std::string facts(setting->kind);
            if (const std::string fallback = default_of(*setting); !fallback.empty()) facts += "; default: " + fallback;
            if (const std::string more = remarks(*setting); !more.empty()) facts += "; " + more;
            if (!setting->variable.empty() && !setting->key.empty())
                facts += "; in the file: " + std::string(setting->key);
            out += "      " + facts + "\n";
        }
    }
    return out;
}

std::string check_report(const Examination& examination) {
    const std::vector<EffectiveSetting>& lines = examination.loaded.settings;
    std::size_t name_width = 0;
    std::size_t source_width = 0;
    for (const EffectiveSetting& line : lines) {
        name_width = std::max(name_width, line.name.size());
        source_width = std::max(source_width, line.source.size());
    }
    std::string out;
    for (const EffectiveSetting& line : lines) {
        std::string row = padded(line.name, name_width) + "  " + padded(line.source, source_width) + "  " + line.value;
        if (!line.active) row += line.value.empty() ? "(not active)" : "  (not active)";
        row.erase(row.find_last_not_of(' ') + 1);
        out += row + "\n";
    }
    for (const std::string& warning : examination.loaded.warnings) out += "warning: " + warning + "\n";
    for (const std::string& problem : examination.problems) out += "problem: " + problem + "\n";
    out += examination.problems.empty() ? "The configuration is usable.\n" : "The agent would refuse to start.\n";
    return out;
}

std::string settings_markdown() {
    std::string out;
    for (const auto& [group, rows] : grouped()) {
        if (!out.empty()) out += "\n";
        out += "### " + std::string(title(group)) + "\n\n" + markdown_rows(rows);
    }
    return out;
}

}  // namespace nodeagent::config
