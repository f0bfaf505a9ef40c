#include "agent/cli/table.hpp"

#include <algorithm>

namespace nodeagent::cli {

namespace {

// Columns of a terminal, near enough: UTF-8 continuation bytes take none.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void pad(std::string& line, std::string_view cell, std::size_t columns) {
    line += cell;
    line.append(columns - std::min(columns, width(cell)), ' ');
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (c1) ++i;  // U+0080 to U+009F: terminals take some for escape sequences
        if (byte == '\n' || byte == '\t') {
            out += ' ';
        } else {
            out += byte < 0x20 || byte == 0x7F || c1 ? '?' : text[i];
        }
    }
    return out;
}

std::string Table::text() const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    std::vector<std::vector<std::string>> cells;
    for (const auto& row : rows_) {
        auto& shown = cells.emplace_back();
        for (std::size_t i = 0; i < widths.size(); ++i) {
            shown.push_back(i < row.size() && !row[i].empty() ? printable(row[i]) : "-");
            widths[i] = std::max(widths[i], width(shown.back()));
        }
    }
    std::string out;
    for (const auto& row : cells) {
        std::string line;
        for (std::size_t i = 0; i + 1 < row.size(); ++i) pad(line, row[i], widths[i] + 2);
        out += line + row.back() + "\n";
    }
    return out;
}

std::string fields(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::size_t widest = 0;
    for (const auto& [name, value] : pairs) {
        if (!value.empty()) widest = std::max(widest, name.size());
    }
    std::string out;
    for (const auto& [name, value] : pairs) {
        if (value.empty()) continue;
        pad(out, name + ":", widest + 3);
        out += printable(value) + "\n";
    }
    return out;
}

}  // namespace nodeagent::cli
