#include "runtime/logs/datetime_format.hpp"

#include <array>
#include <utility>

namespace nodeagent::runtime::logs {

namespace {

constexpr std::array<std::pair<char, std::string_view>, 19> kTokens{{
    {'a', R"((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun))"},
    {'A', R"((?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday))"},
    {'w', R"([0-6])"},
    {'d', R"((?:0[1-9]|[1,2][0-9]|3[0,1]))"},
    {'b', R"((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))"},
    {'B', R"((?:January|February|March|April|May|June|July|August|September|October|November|December))"},
    {'m', R"((?:0[1-9]|1[0-2]))"},
    {'Y', R"(\d{4})"},
    {'y', R"(\d{2})"},
    {'H', R"((?:[0,1][0-9]|2[0-3]))"},
    {'I', R"((?:0[0-9]|1[0-2]))"},
    {'p', R"([A,P]M)"},
    {'M', R"([0-5][0-9])"},
    {'S', R"([0-5][0-9])"},
    {'L', R"(\.\d{3})"},
    {'f', R"(\d{6})"},
    {'z', R"([+-]\d{4})"},
    {'Z', R"([A-Z]{1,4}T)"},
    {'j', R"((?:0[0-9][1-9]|[1,2][0-9][0-9]|3[0-5][0-9]|36[0-6]))"},
}};

std::string_view pattern_of(char token) {
    for (const auto& [name, pattern] : kTokens) {
        if (name == token) return pattern;
    }
    return {};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::string datetime_pattern(std::string_view format) {
    std::string pattern;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] == '%' && i + 1 < format.size() && is_letter(format[i + 1])) {
            pattern += pattern_of(format[++i]);  // nothing for a letter that stands for nothing
        } else {
            pattern += format[i];
        }
    }
    return pattern;
}

}  // namespace nodeagent::runtime::logs
