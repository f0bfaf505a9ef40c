#pragma once
// What the reference left in a data directory, and how it is put away once it is ours. Blocking.

#include <optional>
#include <string>

#include "agent/takeover/import.hpp"

namespace nodeagent::takeover {

inline constexpr std::string_view kDatabaseFile = "agent.db";
inline constexpr std::string_view kLegacyFile = "ecs_agent_data.json";  ///< of agents before 1.44
inline constexpr std::string_view kPutAwaySuffix = ".migrated";

struct Source {
    std::string path;
    Fd lock;  ///< the reference cannot open its database as long as this lives
    Import import;
};

/// `directory`/`file`.
[[nodiscard]] std::string file_in(const std::string& directory, std::string_view file);
[[nodiscard]] bool is_there(const std::string& path);

/// The reference's state in `data_dir`; nothing when it left none. As in the reference the old file counts only when
/// the database has no agent version. Conflict: the reference still runs; any other error: what is there cannot be
/// read.
[[nodiscard]] Result<std::optional<Source>> find_source(const std::string& data_dir, const core::Identity& identity);

/// Whether a process has the database open, as far as can be told without reading it.
[[nodiscard]] bool in_use(const std::string& data_dir);

/// What an operator does about an error of find_source().
[[nodiscard]] std::string remedy(ErrorKind kind, const std::string& data_dir);

/// Renames what find_source() reads, content untouched; durable. An older one that was put away keeps its time in its
/// name. Returns the new path of the last one renamed, "" when nothing was there.
[[nodiscard]] Result<std::string> put_away(const std::string& data_dir);

}  // namespace nodeagent::takeover
