#include "agent/base/time_format.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <limits>

namespace nodeagent {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

namespace {

struct Parts {
    std::tm utc{};
    long nanos = 0;
};

Parts parts_of(system_clock::time_point when) {
    const auto since_epoch = when.time_since_epoch();
    const auto whole = std::chrono::floor<seconds>(since_epoch);
    const auto time = static_cast<std::time_t>(whole.count());
    Parts parts;
    gmtime_r(&time, &parts.utc);
    // not by subtraction: the first whole second before the earliest time is no time any more
    constexpr auto kSecond = nanoseconds(seconds(1)).count();
    const auto rest = duration_cast<nanoseconds>(since_epoch).count() % kSecond;
    parts.nanos = static_cast<long>(rest < 0 ? rest + kSecond : rest);
    return parts;
}

std::string formatted(const Parts& parts, const char* format) {
    std::array<char, 40> text{};
    return {text.data(), std::strftime(text.data(), text.size(), format, &parts.utc)};
}

// Takes `count` digits off the front of text.
std::optional<int> digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

std::string trimmed_fraction(unsigned long long value, int width) {
    std::string text = std::to_string(value);
    text.insert(0, static_cast<std::size_t>(width) - text.size(), '0');
    while (!text.empty() && text.back() == '0') text.pop_back();
    return text.empty() ? text : '.' + text;
}

}  // namespace

std::string rfc3339_seconds(system_clock::time_point when) { return formatted(parts_of(when), "%Y-%m-%dT%H:%M:%SZ"); }
std::string iso8601_basic(system_clock::time_point when) { return formatted(parts_of(when), "%Y%m%dT%H%M%SZ"); }

std::string rfc3339_nanos(system_clock::time_point when) {
    const Parts parts = parts_of(when);
    return formatted(parts, "%Y-%m-%dT%H:%M:%S") + trimmed_fraction(static_cast<unsigned long long>(parts.nanos), 9) +
           'Z';
}

std::optional<system_clock::time_point> parse_rfc3339(std::string_view text) {
    std::tm utc{};
    const auto year = digits(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = digits(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = digits(text, 2);
    if (!day || (!take(text, 'T') && !take(text, 't'))) return std::nullopt;
    const auto hour = digits(text, 2);
    if (!hour || !take(text, ':')) return std::nullopt;
    const auto minute = digits(text, 2);
    if (!minute || !take(text, ':')) return std::nullopt;
    const auto second = digits(text, 2);
    if (!second || *month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) {
        return std::nullopt;
    }
    if (*year < 1678 || *year > 2261)
        return std::nullopt;  // Docker's zero time, and what 64-bit nanoseconds cannot hold
    long long nanos = 0;
    if (take(text, '.')) {
        long long scale = 100'000'000;
        if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
        while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
            nanos += (text.front() - '0') * scale;
            scale /= 10;
            text.remove_prefix(1);
        }
    }
    long offset = 0;
    if (!take(text, 'Z') && !take(text, 'z')) {
        const int sign = take(text, '-') ? -1 : take(text, '+') ? 1 : 0;
        if (sign == 0) return std::nullopt;
        const auto hours = digits(text, 2);
        if (!hours || !take(text, ':')) return std::nullopt;
        const auto minutes = digits(text, 2);
        if (!minutes) return std::nullopt;
        offset = sign * (*hours * 3600L + *minutes * 60L);
    }
    if (!text.empty()) return std::nullopt;
    utc.tm_year = *year - 1900;
    utc.tm_mon = *month - 1;
    utc.tm_mday = *day;
    utc.tm_hour = *hour;
    utc.tm_min = *minute;
    utc.tm_sec = *second;
    return system_clock::time_point(
        duration_cast<system_clock::duration>(seconds(timegm(&utc) - offset) + nanoseconds(nanos)));
}

std::string go_duration(nanoseconds duration) {
    if (duration.count() == 0) return "0s";
    std::string out = duration.count() < 0 ? "-" : "";
    // unsigned: the least duration has no positive counterpart
    auto ns = static_cast<unsigned long long>(duration.count());
    if (duration.count() < 0) ns = 0 - ns;
    if (ns < 1'000) return out + std::to_string(ns) + "ns";
    if (ns < 1'000'000) return out + std::to_string(ns / 1'000) + trimmed_fraction(ns % 1'000, 3) + "\xC2\xB5s";
    if (ns < 1'000'000'000) return out + std::to_string(ns / 1'000'000) + trimmed_fraction(ns % 1'000'000, 6) + "ms";
    const auto whole = ns / 1'000'000'000;
    const auto hours = whole / 3600;
    const auto minutes = whole / 60 % 60;
    if (hours > 0) out += std::to_string(hours) + "h";
    if (hours > 0 || minutes > 0) out += std::to_string(minutes) + "m";
    return out + std::to_string(whole % 60) + trimmed_fraction(ns % 1'000'000'000, 9) + "s";
}

std::optional<nanoseconds> parse_go_duration(std::string_view text) {
    const bool negative = take(text, '-');
    if (!negative) take(text, '+');
    if (text == "0") return nanoseconds::zero();
    if (text.empty()) return std::nullopt;
    long double total = 0;
    while (!text.empty()) {
        std::size_t length = 0;
        bool any_digit = false;
        bool point = false;
        while (length < text.size() &&
               ((text[length] >= '0' && text[length] <= '9') || (text[length] == '.' && !point))) {
            point = point || text[length] == '.';
            any_digit = any_digit || text[length] != '.';
            ++length;
        }
        if (!any_digit) return std::nullopt;
        const long double number = std::strtold(std::string(text.substr(0, length)).c_str(), nullptr);
        text.remove_prefix(length);
        struct Unit {
            std::string_view name;
            long double nanos;
        };
        constexpr std::array<Unit, 8> units{{{"ns", 1},
                                             {"us", 1e3L},
                                             {"\xC2\xB5s", 1e3L},
                                             {"\xCE\xBCs", 1e3L},
                                             {"ms", 1e6L},
                                             {"s", 1e9L},
                                             {"m", 60e9L},
                                             {"h", 3600e9L}}};
        const Unit* found = nullptr;
        for (const Unit& unit : units) {
            const bool longer_exists = unit.name == "m" && text.starts_with("ms");
            if (text.starts_with(unit.name) && !longer_exists) found = &unit;
        }
        if (found == nullptr) return std::nullopt;
        text.remove_prefix(found->name.size());
        total += number * found->nanos;
    }
    if (total > static_cast<long double>(std::numeric_limits<long long>::max())) return std::nullopt;
    const auto ns = static_cast<long long>(std::roundl(total));
    return nanoseconds(negative ? -ns : ns);
}

double epoch_seconds(system_clock::time_point when) {
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch());
    return static_cast<double>(millis.count()) / 1000.0;
}

}  // namespace nodeagent
