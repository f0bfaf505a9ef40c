#pragma once
// The log driver journald on containerd: the host's journal, by the sd-journal functions of libsystemd. They are loaded
// when a container logs there: no process for each container, no JSON of journalctl to read, no cut or escaped bytes.

#include <memory>
#include <string>

#include "agent/cli/logs/source.hpp"

namespace nodeagent::cli {

/// Entries whose CONTAINER_ID_FULL is the container's. `folder` is a journal's, "" the host's. Unavailable: there is no
/// libsystemd or no journal.
[[nodiscard]] std::unique_ptr<LogSource> journal_source(std::string container_id, LogWindow window,
                                                        std::string folder = {});

}  // namespace nodeagent::cli
