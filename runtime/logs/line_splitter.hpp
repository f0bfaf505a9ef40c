#pragma once
// Bytes of a pipe to lines, as Docker's copier splits them (containerd.md 7.4): a line that is longer than the limit comes in
// parts. Memory is bounded by the limit.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/logs/message.hpp"

namespace nodeagent::runtime::logs {

class LineSplitter {
  public:
    using Sink = std::function<void(const Message&)>;

    LineSplitter(Source source, std::size_t limit) : source_(source), limit_(limit) {}

    /// The sink's message is valid during the call.
    void feed(std::string_view bytes, Nanos now, const Sink& sink);
    /// The pipe has ended: what has no newline is a line.
    void finish(Nanos now, const Sink& sink);

  private:
    void end_line(std::string_view text, Nanos now, const Sink& sink);
    void part(std::string_view text, Nanos now, bool last, const Sink& sink);

    Source source_;
    std::size_t limit_;
    std::string begun_;   ///< of a line whose end has not come, at most limit_ bytes
    Nanos began_ = 0;     ///< of that line
    std::uint64_t line_ = 0;
    int parts_ = 0;       ///< of that line that are told already
};

}  // namespace nodeagent::runtime::logs
