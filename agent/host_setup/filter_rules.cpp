#include "agent/host_setup/filter_rules.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/base/strings.hpp"

namespace nodeagent::host_setup {

namespace {

/// As a shell would, for what iptables-save quotes: "a \"b\"".
std::vector<std::string> words_of_rule(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool inside = false;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && quoted && i + 1 < text.size()) {
            word += text[++i];
        } else if (c == '"') {
            quoted = !quoted;
            inside = true;
        } else if ((c == ' ' || c == '\t') && !quoted) {
            if (inside) words.push_back(std::exchange(word, {}));
            inside = false;
        } else {
            word += c;
            inside = true;
        }
    }
    if (inside) words.push_back(std::move(word));
    return words;
}

std::string option_name(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kShort{{{"--source", "-s"},
                                                                                    {"--src", "-s"},
                                                                                    {"--destination", "-d"},
                                                                                    {"--dst", "-d"},
                                                                                    {"--protocol", "-p"},
                                                                                    {"--proto", "-p"},
                                                                                    {"--in-interface", "-i"},
                                                                                    {"--out-interface", "-o"},
                                                                                    {"--jump", "-j"},
                                                                                    {"--goto", "-g"},
                                                                                    {"--match", "-m"},
                                                                                    {"--destination-port", "--dport"},
                                                                                    {"--source-port", "--sport"},
                                                                                    {"--destination-ports", "--dports"},
                                                                                    {"--source-ports", "--sports"},
                                                                                    {"--to-port", "--to-ports"}}};
    for (const auto& [spelled, name] : kShort) {
        if (word == spelled) return std::string(name);
    }
    return std::string(word);
}

std::string option_value(std::string_view option, std::string value) {
    if ((option == "-s" || option == "-d") && value.find('/') == std::string::npos) {
        value += value.find(':') == std::string::npos ? "/32" : "/128";
    }
    if (option == "--ctstate" || option == "--state") {
        std::vector<std::string> states;
        for (const std::string_view state : split(value, ',')) states.emplace_back(state);
        std::sort(states.begin(), states.end());
        value = join(states, ",");
    }
    return value;
}

}  // namespace

std::string canonical(std::string_view arguments) {
    std::vector<std::string> options;
    bool negated = false;
    for (const std::string& word : words_of_rule(arguments)) {
        if (word == "!") {
            negated = true;
        } else if (word.size() > 1 && word.front() == '-') {
            options.push_back((negated ? "! " : "") + option_name(word));
            negated = false;
        } else if (!options.empty()) {
            std::string& option = options.back();
            const std::string name = option.starts_with("! ") ? option.substr(2) : option;
            option += " " + option_value(name, word);
        }
    }
    std::erase_if(options, [](const std::string& option) { return option.starts_with("-m "); });
    std::sort(options.begin(), options.end());
    return join(options, " ");
}

SavedTables read_saved(std::string_view text) {
    SavedTables tables;
    std::map<std::string, SavedChain, std::less<>>* table = nullptr;
    for (std::string_view line : split(text, '\n')) {
        line = trimmed(line);
        if (line.starts_with('*')) table = &tables[std::string(line.substr(1))];
        if (table == nullptr) continue;
        if (line.starts_with(':')) (void)(*table)[std::string(line.substr(1, line.find(' ') - 1))];
        if (!line.starts_with("-A ")) continue;
        line.remove_prefix(3);
        const std::size_t space = line.find(' ');
        const std::string_view rest = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
        (*table)[std::string(line.substr(0, space))].push_back(
            {.arguments = std::string(rest), .meaning = canonical(rest)});
    }
    return tables;
}

const SavedChain& chain_of(const SavedTables& tables, std::string_view table, std::string_view chain) {
    static const SavedChain kNone;
    const auto found = tables.find(table);
    if (found == tables.end()) return kNone;
    const auto rules = found->second.find(chain);
    return rules == found->second.end() ? kNone : rules->second;
}

bool has_chain(const SavedTables& tables, std::string_view table, std::string_view chain) {
    const auto found = tables.find(table);
    return found != tables.end() && found->second.find(chain) != found->second.end();
}

}  // namespace nodeagent::host_setup
