#pragma once
// The body of Docker's logs API, asked for with timestamps: frames of an eight byte header (stream, length) and
// "<RFC 3339> text", or the same without headers when the container has a terminal.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cli/logs/source.hpp"

namespace nodeagent::cli {

class DockerStream {
  public:
    explicit DockerStream(bool terminal) : terminal_(terminal) {}
    /// Malformed when there is no frame where one should be; nothing can be read after it.
    [[nodiscard]] Result<void> feed(std::string_view bytes, std::vector<LogLine>& out);
    void finish(std::vector<LogLine>& out);

  private:
    void piece(std::size_t stream, std::string_view text, std::vector<LogLine>& out);
    bool terminal_;
    std::string rest_;
    std::array<LogLine, 2> parts_;
};

}  // namespace nodeagent::cli
