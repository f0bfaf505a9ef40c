#include "agent/base/log.hpp"

#include <unistd.h>

#include <atomic>
#include <mutex>

#include "agent/base/log_line.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::log {

namespace {

std::atomic<Level> g_level{Level::Info};
std::atomic<Format> g_format{Format::Logfmt};
std::mutex g_sink_mutex;

Sink& sink() {
    static Sink instance = [](Level, std::string_view line) {
        std::string out(line);
        out += '\n';
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t n = ::write(STDERR_FILENO, out.data() + done, out.size() - done);
            if (n <= 0) break;  // nobody reads our stderr: nothing better to do with the line
            done += static_cast<std::size_t>(n);
        }
    };
    return instance;
}

std::string_view name(Level level) {
    switch (level) {
        case Level::Debug: return "debug";
        case Level::Info: return "info";
        case Level::Warn: return "warn";
        case Level::Error: return "error";
        case Level::Critical: return "critical";
        case Level::None: break;
    }
    return "none";
}

void append_pair(std::string& line, std::string_view key, std::string_view value, bool quoted, Format format) {
    if (format == Format::Json) {
        line += line.size() > 1 ? "," : "";
        append_json_string(line, key);
        line += ':';
    } else {
        if (!line.empty()) line += ' ';
        line += key;
        line += '=';
    }
    if (quoted) {
        append_json_string(line, value);
    } else {
        line += value;
    }
}

}  // namespace

void set_level(Level level) { g_level.store(level); }
Level level() { return g_level.load(); }
void set_format(Format format) { g_format.store(format); }

void set_sink(Sink replacement) {
    const std::lock_guard lock(g_sink_mutex);
    sink() = std::move(replacement);
}

Level parse_level(std::string_view word, bool* ok) {
    if (ok != nullptr) *ok = true;
    if (word == "debug") return Level::Debug;
    if (word == "info") return Level::Info;
    if (word == "warn") return Level::Warn;
    if (word == "error") return Level::Error;
    if (word == "crit") return Level::Critical;
    if (word == "none") return Level::None;
    if (ok != nullptr) *ok = false;
    return Level::Info;
}

std::string format_line(Level level, std::string_view message, Fields fields) {
    const Format format = g_format.load();
    std::string line;
    if (format == Format::Json) line = "{";
    // the shape of the reference's structured lines (host.md 8), so that what parses those parses these
    const bool json = format == Format::Json;
    append_pair(line, "level", name(level), json, format);
    append_pair(line, "time", rfc3339_seconds(std::chrono::system_clock::now()), json, format);
    append_pair(line, "logger", "structured", json, format);
    append_pair(line, "msg", message, true, format);
    for (const Field& field : fields) append_pair(line, field.key, field.value, field.quoted, format);
    if (format == Format::Json) line += '}';
    return line;
}

void write(Level level, std::string_view message, Fields fields) {
    if (level < g_level.load() || level == Level::None) return;
    const std::string line = format_line(level, message, fields);
    const std::lock_guard lock(g_sink_mutex);
    sink()(level, line);
}

}  // namespace nodeagent::log
