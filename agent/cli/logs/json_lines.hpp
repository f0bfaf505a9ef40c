#pragma once
// The lines of the log driver json-file: {"log":"text\n","stream":"stderr","time":"2026-..."}. A line of the
// container's that is longer than the driver takes is several of them; only the last one's text ends with a newline.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/logs/source.hpp"

namespace nodeagent::cli {

class JsonLines {
  public:
    /// Bytes of the file as they come; whole lines are appended to `out`.
    void feed(std::string_view bytes, std::vector<LogLine>& out);
    /// The file is over: a line that was cut in it does not go on in another.
    void end_of_file(std::vector<LogLine>& out);
    /// No more will come: parts of lines become lines.
    void finish(std::vector<LogLine>& out);
    /// Lines that could not be read.
    [[nodiscard]] std::size_t damaged() const { return damaged_; }

  private:
    void one(std::string_view line, std::vector<LogLine>& out);
    std::string rest_;
    std::array<LogLine, 2> parts_;  ///< of standard output and error
    std::size_t damaged_ = 0;
};

}  // namespace nodeagent::cli
