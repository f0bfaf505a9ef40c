#pragma once
// The filter patterns of FilterLogEvents for text: terms that must all be there, in any order and with regard to case;
// "quoted ones"; -terms that must not be; ?terms of which one must be. Patterns for JSON and for columns ({...}, [...])
// are not served.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent::local {

class FilterPattern {
  public:
    /// Nothing for a pattern that is malformed or of another kind.
    [[nodiscard]] static std::optional<FilterPattern> parse(std::string_view text);
    [[nodiscard]] bool matches(std::string_view message) const;

  private:
    std::vector<std::string> all_;
    std::vector<std::string> none_;
    std::vector<std::string> any_;
};

}  // namespace nodeagent::local
