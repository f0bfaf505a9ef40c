#include "agent/base/log_sinks.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace nodeagent::log {

namespace {

void write_stream(std::string_view line) {
    std::string out(line);
    out += '\n';
    std::string_view rest = out;
    while (!rest.empty()) {
        const ssize_t n = ::write(STDOUT_FILENO, rest.data(), rest.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;  // a full or closed pipe must not stop the agent; the file has the line
        rest.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace

Result<void> install_sinks(SinkOptions options) {
    Result<void> outcome;
    std::shared_ptr<RotatingFile> file;
    if (options.file && options.file_level != Level::None) {
        Result<std::unique_ptr<RotatingFile>> opened = RotatingFile::open(std::move(*options.file));
        if (opened) {
            file = std::move(*opened);
        } else {
            outcome = opened.error();
        }
    }
    set_format(options.format);
    set_level(file ? std::min(options.stream_level, options.file_level) : options.stream_level);
    set_sink([file, options](Level level, std::string_view line) {
        if (options.stream_level != Level::None && level >= options.stream_level) write_stream(line);
        if (file && level >= options.file_level) file->write(line);
    });
    return outcome;
}

}  // namespace nodeagent::log
