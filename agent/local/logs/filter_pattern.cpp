#include "agent/local/logs/filter_pattern.hpp"

#include <algorithm>

namespace nodeagent::local {
namespace {

bool has(std::string_view message, std::string_view term) { return message.find(term) != std::string_view::npos; }

}  // namespace

std::optional<FilterPattern> FilterPattern::parse(std::string_view text) {
    FilterPattern out;
    std::size_t at = 0;
    while (true) {
        at = text.find_first_not_of(" \t", at);
        if (at == std::string_view::npos) return out;
        if (text[at] == '{' || text[at] == '[' || text[at] == '%') return std::nullopt;
        std::vector<std::string>* kind = &out.all_;
        if (text[at] == '-') kind = &out.none_;
        if (text[at] == '?') kind = &out.any_;
        if (kind != &out.all_) ++at;
        std::string term;
        if (at < text.size() && text[at] == '"') {
            for (++at; at < text.size() && text[at] != '"'; ++at) {
                if (text[at] == '\\' && at + 1 < text.size()) ++at;
                term += text[at];
            }
            if (at == text.size()) return std::nullopt;
            ++at;
        } else {
            const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
            term = text.substr(at, end - at);
            at = end;
        }
        if (term.empty()) return std::nullopt;
        kind->push_back(std::move(term));
    }
}

bool FilterPattern::matches(std::string_view message) const {
    const auto there = [&](const std::string& term) { return has(message, term); };
    return std::all_of(all_.begin(), all_.end(), there) && std::none_of(none_.begin(), none_.end(), there) &&
           (any_.empty() || std::any_of(any_.begin(), any_.end(), there));
}

}  // namespace nodeagent::local
