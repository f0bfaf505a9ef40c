#include "agent/cli/logs/printed_line.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::cli {

namespace {

std::string time_text(const LogLine& line) {
    const std::chrono::nanoseconds since_epoch(line.time);
    return rfc3339_nanos(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(since_epoch)));
}

std::string as_json(const LogLine& line, std::string_view container) {
    OrderedJson document;
    document["time"] = time_text(line);
    document["container"] = container;
    if (line.stream != PrintedTo::Unknown) document["stream"] = line.stream == PrintedTo::Stderr ? "stderr" : "stdout";
    document["log"] = line.text;
    return dump_json(document) + "\n";
}

/// Bytes of the character at the begin of `text`, 0 if it is none: RFC 3629, without surrogates and overlong forms.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) return 0;
    }
    const unsigned second = byte(1);
    const bool bad = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return bad ? 0 : length;
}

}  // namespace

std::string escaped_for_terminal(std::string_view text) {
    std::string out;
    const auto escape = [&out](unsigned char byte) {
        std::array<char, 8> code{};
        std::snprintf(code.data(), code.size(), "\\x%02x", byte);
        out += code.data();
    };
    while (!text.empty()) {
        const auto first = static_cast<unsigned char>(text.front());
        const std::size_t length = std::max<std::size_t>(1, utf8_length(text));
        if (first == '\n' || first == '\t') {
            out += text.front();
        } else if (first == '\r') {
            // the one before a newline moves nothing
            out += text.size() > 1 && text[1] != '\n' ? "\\r" : "";
        } else if (first < 0x20 || first == 0x7F || utf8_length(text) == 0) {
            escape(first);
        } else if (first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) {
            escape(static_cast<unsigned char>(text[1]));  // U+0080 to U+009F, which terminals obey too
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return out;
}

std::string printed_line(const LogLine& line, std::string_view container, const LineStyle& style) {
    if (style.json) return as_json(line, container);
    std::string before;
    if (style.name_width > 0) {
        before = container;
        before.append(style.name_width - std::min(style.name_width, container.size()), ' ');
        before += " | ";
    }
    if (style.timestamps) before += time_text(line) + " ";
    const std::string text = style.terminal ? escaped_for_terminal(line.text) : line.text;
    std::string out;
    for (const std::string_view part : split(text, '\n')) out.append(before).append(part).append("\n");
    return out;
}

}  // namespace nodeagent::cli
