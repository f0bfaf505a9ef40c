#pragma once
// Where the daemon's log goes: a stream for the service manager or log driver, and a file on the instance, each with
// its own level (host.md 8).

#include <optional>

#include "agent/base/error.hpp"
#include "agent/base/log.hpp"
#include "agent/base/rotating_file.hpp"

namespace nodeagent::log {

struct SinkOptions {
    Level stream_level = Level::Info;  ///< ECS_LOGLEVEL; to standard output
    Level file_level = Level::Info;    ///< ECS_LOGLEVEL_ON_INSTANCE
    std::optional<RotatingFileOptions> file;
    Format format = Format::Logfmt;
};

/// Installs the sinks. An error means that the file cannot be used: the stream is installed all the same.
[[nodiscard]] Result<void> install_sinks(SinkOptions options);

}  // namespace nodeagent::log
