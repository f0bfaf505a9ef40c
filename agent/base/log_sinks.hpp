#pragma once
// Where the daemon's log goes: a stream for the service manager or log driver, and a file on the instance, each with
// its own level (host.md 8) and its own thread that writes (line_writer.hpp), so that neither holds up the agent or the
// other.

#include <unistd.h>

#include <chrono>
#include <optional>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/log.hpp"
#include "agent/base/rotating_file.hpp"

namespace nodeagent::log {

struct SinkOptions {
    Level stream_level = Level::Info;  ///< ECS_LOGLEVEL
    int stream = STDOUT_FILENO;
    Level file_level = Level::Info;  ///< ECS_LOGLEVEL_ON_INSTANCE
    std::optional<RotatingFileOptions> file;
    Format format = Format::Logfmt;
};

/// Installs the sinks. An error means that the file cannot be used: the stream is installed all the same.
[[nodiscard]] Result<void> install_sinks(SinkOptions options);

/// A line of another kind to the stream of the installed sinks; without them to nobody. Thread-safe, does not block.
void write_to_stream(std::string_view line);

/// Before the process ends: waits until what was logged is written, at most `limit`; whether it is.
bool flush(std::chrono::milliseconds limit);
/// From now on the process waits up to a second for its log when it is killed by its own fault (abort, SIGSEGV ...).
/// Signals that something else handles already, a sanitizer say, are left to it.
void flush_on_fatal_signals();

}  // namespace nodeagent::log
