#pragma once
// Levelled log lines of key=value pairs, one line per call, thread-safe. Secrets are never passed to it; what may hold
// one is a Secret (secret.hpp), which prints as "<redacted>".
//   log::info("container started", {{"task", arn}, {"container", name}});

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

namespace nodeagent::log {

enum class Level : std::uint8_t { Debug, Info, Warn, Error, Critical, None };

struct Field {
    std::string_view key;
    std::string value;
    bool quoted = true;  ///< text: in quotes; numbers and booleans are bare, in JSON too
    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(v) {}
    Field(std::string_view k, const std::string& v) : key(k), value(v) {}
    Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
    Field(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)), quoted(false) {}
    Field(std::string_view k, double v) : key(k), value(std::to_string(v)), quoted(v - v != 0) {}  // JSON has no NaN
};
using Fields = std::initializer_list<Field>;

/// Lines below this level are dropped. Default Info. Thread-safe.
void set_level(Level level);
[[nodiscard]] Level level();
/// "crit", "error", "warn", "info", "debug", "none"; Info for anything else (`ok` tells).
[[nodiscard]] Level parse_level(std::string_view word, bool* ok = nullptr);

/// Where finished lines go, without newline; default: stderr. Set before threads start.
using Sink = std::function<void(Level, std::string_view line)>;
void set_sink(Sink sink);
enum class Format : std::uint8_t { Logfmt, Json };
void set_format(Format format);

void write(Level level, std::string_view message, Fields fields = {});
inline void debug(std::string_view m, Fields f = {}) { write(Level::Debug, m, f); }
inline void info(std::string_view m, Fields f = {}) { write(Level::Info, m, f); }
inline void warn(std::string_view m, Fields f = {}) { write(Level::Warn, m, f); }
inline void error(std::string_view m, Fields f = {}) { write(Level::Error, m, f); }
inline void critical(std::string_view m, Fields f = {}) { write(Level::Critical, m, f); }

}  // namespace nodeagent::log
