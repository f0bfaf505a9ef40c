#include "metadata/go_json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::metadata {

std::string go_number(double value) {
    std::array<char, 512> buffer{};
    const double size = std::fabs(value);
    const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
    const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
    const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
    std::string text(buffer.data(), failure == std::errc{} ? end : buffer.data());
    // Go drops the leading zero of a negative one-digit exponent, and only of that: 1e-07 -> 1e-7, but 1e+21 stays
    const std::size_t n = text.size();
    if (exponent && n >= 4 && text[n - 4] == 'e' && text[n - 3] == '-' && text[n - 2] == '0') text.erase(n - 2, 1);
    return text;
}

std::string rfc3339_nanos_local(std::chrono::system_clock::time_point when) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(when);
    const std::time_t time = std::chrono::system_clock::to_time_t(seconds);
    std::tm local{};
    localtime_r(&time, &local);
    if (local.tm_gmtoff == 0) return rfc3339_nanos(when);
    // the local clock's reading is UTC's of a moment shifted by the offset
    std::string text = rfc3339_nanos(when + std::chrono::seconds(local.tm_gmtoff));
    text.pop_back();
    const long minutes = std::labs(local.tm_gmtoff) / 60;
    std::array<char, 48> zone{};
    std::snprintf(zone.data(), zone.size(), "%c%02ld:%02ld", local.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
                  minutes % 60);
    return text + zone.data();
}

void JsonWriter::separate() {
    if (!first_) out_ += ',';
    first_ = false;
}

void JsonWriter::open(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
}

void JsonWriter::close(char bracket) {
    out_ += bracket;
    first_ = false;
}

void JsonWriter::key(std::string_view name) {
    separate();
    append_json_string(out_, name, true);
    out_ += ':';
    first_ = true;
}

void JsonWriter::value(std::string_view text) {
    separate();
    append_json_string(out_, text, true);
}

void JsonWriter::raw(std::string_view json) {
    separate();
    out_ += json;
}

void JsonWriter::value(WallTime when) {
    separate();
    out_ += '"';
    out_ += rfc3339_nanos(when);
    out_ += '"';
}

void JsonWriter::value(const std::map<std::string, std::string>& entries) {
    begin_object();
    for (const auto& [name, content] : entries) member(name, content);
    end_object();
}

void JsonWriter::value(const std::vector<std::string>& items) {
    begin_array();
    for (const std::string& item : items) value(std::string_view(item));
    end_array();
}

}  // namespace nodeagent::metadata
