#include "cgroups/pressure.hpp"

#include <charconv>

#include "cgroups/lines.hpp"

namespace nodeagent::cgroups {

namespace {

// The value of "name=value" if the word is one, else leaves `into` alone.
template <class Number>
bool take(std::string_view word, std::string_view name, Number& into) {
    if (!word.starts_with(name) || word.size() <= name.size() || word[name.size()] != '=') return false;
    word.remove_prefix(name.size() + 1);
    return std::from_chars(word.data(), word.data() + word.size(), into).ec == std::errc{};
}

}  // namespace

std::optional<Pressure> parse_pressure(std::string_view text) {
    Pressure found;
    bool told = false;
    for (std::string_view line; next_line(text, line);) {
        const std::string_view kind = next_word(line);
        if (kind != "some" && kind != "full") continue;
        Pressure::Share& share = kind == "some" ? found.some : found.full;
        for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
            const bool average10 = take(word, "avg10", share.average10);
            told = told || (average10 && kind == "some");
            take(word, "avg60", share.average60);
            take(word, "avg300", share.average300);
            take(word, "total", share.total_us);
        }
    }
    if (!told) return std::nullopt;
    return found;
}

}  // namespace nodeagent::cgroups
