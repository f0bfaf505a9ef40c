#pragma once
// One piece of a container's output on its way to a log.

#include <cstdint>
#include <string>
#include <string_view>

namespace nodeagent::runtime::logs {

enum class Source : std::uint8_t { Stdout, Stderr };

/// Nanoseconds since the epoch.
using Nanos = std::int64_t;

/// A line, or a part of one that is longer than its driver takes.
struct Message {
    Source source = Source::Stdout;
    Nanos time = 0;             ///< when the line's first byte was seen
    std::string_view text;      ///< without its newline
    bool partial = false;       ///< of a line in parts, this one included
    std::uint64_t line = 0;     ///< numbers lines in parts; 0 otherwise
    int part = 0;               ///< from 1
    bool last = true;           ///< no further part follows
};

}  // namespace nodeagent::runtime::logs
