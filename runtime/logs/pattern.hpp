#pragma once
// Regular expressions in RE2's syntax, which is Go's and so Docker's, and the two options that make one.

#include <memory>
#include <string>
#include <string_view>

#include "runtime/logs/config.hpp"

namespace nodeagent::runtime::logs {

class Pattern {
  public:
    virtual ~Pattern() = default;
    /// Anywhere in the text; bytes that are no UTF-8 match as U+FFFD does.
    [[nodiscard]] virtual bool matches(std::string_view text) const = 0;
};

/// nullptr for "". Malformed names what is wrong.
[[nodiscard]] Result<std::unique_ptr<Pattern>> compile_pattern(const std::string& text);

/// The expression Docker makes of awslogs-datetime-format: %-sequences are replaced, unknown ones by nothing, all other
/// text stays as it is.
[[nodiscard]] std::string datetime_expression(std::string_view format);

/// awslogs-multiline-pattern or awslogs-datetime-format; nullptr if neither is set. Malformed in Docker's words.
[[nodiscard]] Result<std::unique_ptr<Pattern>> multiline_pattern(const LogOptions& options);

}  // namespace nodeagent::runtime::logs
