#pragma once
// Walking the kernel's statistics files without allocating.

#include <charconv>
#include <cstdint>
#include <string_view>

namespace nodeagent::cgroups {

/// Takes the first line off `text`; false at the end.
inline bool next_line(std::string_view& text, std::string_view& line) {
    if (text.empty()) return false;
    const std::size_t end = text.find('\n');
    line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return true;
}

/// Takes the first word off `line`, empty at the end.
inline std::string_view next_word(std::string_view& line) {
    const std::size_t start = line.find_first_not_of(" \t\n");
    if (start == std::string_view::npos) return line = {};
    line.remove_prefix(start);
    const std::size_t end = line.find_first_of(" \t\n");
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(word.size());
    return word;
}

/// The number that `text` starts with; 0 when it starts with none.
inline std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace nodeagent::cgroups
