#pragma once
// Columns of text for a terminal.

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent::cli {

/// Control characters replaced: what tasks are called must not steer the terminal.
[[nodiscard]] std::string printable(std::string_view text);

class Table {
  public:
    explicit Table(std::vector<std::string> titles) : rows_{std::move(titles)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    /// Columns two spaces apart, empty cells as "-", the last one as long as it is.
    [[nodiscard]] std::string text() const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

/// "name:   value" lines, values aligned; empty values are left out.
[[nodiscard]] std::string fields(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace nodeagent::cli
