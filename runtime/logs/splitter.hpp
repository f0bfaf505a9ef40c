#pragma once
// Bytes of a pipe -> lines, as Docker's copier makes them: a newline ends a line and is no part of it; a line longer
// than the driver takes becomes parts of exactly that length; what has no newline at the end is a part too.
// The state is in shared memory and changes with commits only, so that another process can go on with it.

#include <cstdint>
#include <functional>

#include "runtime/logs/message.hpp"
#include "runtime/logs/shared.hpp"

namespace nodeagent::runtime::logs {

/// Where lines go. False: there is no room, the line is asked for again.
using PutLine = std::function<bool(Message&)>;
/// Makes what was put durable for the other process.
using CommitLines = std::function<void()>;

class Splitter {
  public:
    Splitter(InputState& state, Stream stream, std::size_t longest, PutLine put, CommitLines commit);
    /// Splits what is in the input, or up to the first line that finds no room; true if all of it.
    bool run(std::int64_t now);
    /// There will be no more: the rest is a line too. True once it has found room.
    bool end(std::int64_t now);

  private:
    bool put(std::string_view text, bool newline, std::int64_t now);
    InputState& state_;
    Stream stream_;
    std::size_t longest_;
    PutLine put_;
    CommitLines commit_;
};

}  // namespace nodeagent::runtime::logs
