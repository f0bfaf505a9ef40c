#include "agent/host_setup/report.hpp"

#include <algorithm>
#include <array>

namespace nodeagent::host_setup {

std::string report(const std::vector<Finding>& findings) {
    using Row = std::array<std::string, 5>;
    std::vector<Row> rows{{"STATE", "WHAT", "WHERE", "IS", "SHOULD BE"}};
    for (const Finding& one : findings) {
        const std::string should = one.state == State::Foreign ? "as its owner likes"
                                   : one.should.empty()        ? "not there"
                                                               : one.should;
        rows.push_back({std::string(to_string(one.state)), one.what, one.where, one.is, should});
    }
    std::array<std::size_t, 5> widths{};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        for (std::size_t i = 0; i < rows[r].size(); ++i) {
            text += rows[r][i];
            if (i + 1 < rows[r].size()) text.append(widths[i] - rows[r][i].size() + 2, ' ');
        }
        text += "\n";
        if (r > 0 && !findings[r - 1].remedy.empty()) text += "    " + findings[r - 1].remedy + "\n";
    }
    return text;
}

}  // namespace nodeagent::host_setup
