#include "agent/base/log_sinks.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <sys/uio.h>

#include "agent/base/line_writer.hpp"
#include "agent/base/log_line.hpp"

namespace nodeagent::log {

namespace {

std::mutex g_stream_mutex;

std::shared_ptr<LineWriter>& stream_writer() {
    static std::shared_ptr<LineWriter> installed;
    return installed;
}

/// False: nobody reads it any more; the file has the line.
bool put_line(int descriptor, std::string_view line) {
    char newline = '\n';
    // one call, so that what others write to the same stream does not come between
    std::array<iovec, 2> parts{iovec{const_cast<char*>(line.data()), line.size()}, iovec{&newline, 1}};
    while (parts[1].iov_len > 0) {
        const ssize_t written = ::writev(descriptor, parts.data(), static_cast<int>(parts.size()));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        auto left = static_cast<std::size_t>(written);
        for (iovec& part : parts) {
            const std::size_t gone = std::min(left, part.iov_len);
            part.iov_base = static_cast<char*>(part.iov_base) + gone;
            part.iov_len -= gone;
            left -= gone;
        }
    }
    return true;
}

/// `to`: what puts out one line.
template <class Put>
std::shared_ptr<LineWriter> line_writer(Put to) {
    return std::make_shared<LineWriter>(
        LineWriter::Output{.write = to, .tell = [to](std::uint64_t lost) {
                               return to(format_line(Level::Warn,
                                                     "lines of this log are missing: they came faster "
                                                     "than they could be written",
                                                     {{"lines", lost}}));
                           }});
}

/// The signal's usual end follows: its action is the default one again, and it waits until this returns.
void wait_for_the_log(int signal) {
    LineWriter::wait_until_written(std::chrono::seconds(1));
    ::raise(signal);
}

}  // namespace

Result<void> install_sinks(SinkOptions options) {
    Result<void> outcome;
    std::shared_ptr<LineWriter> file;
    if (options.file && options.file_level != Level::None) {
        Result<std::unique_ptr<RotatingFile>> opened = RotatingFile::open(std::move(*options.file));
        if (opened) {
            file = line_writer([to = std::shared_ptr<RotatingFile>(std::move(*opened))](std::string_view line) {
                return to->write(line);
            });
        } else {
            outcome = opened.error();
        }
    }
    const auto stream =
        line_writer([descriptor = options.stream](std::string_view line) { return put_line(descriptor, line); });
    {
        const std::lock_guard lock(g_stream_mutex);
        stream_writer() = stream;
    }
    set_format(options.format);
    set_level(file ? std::min(options.stream_level, options.file_level) : options.stream_level);
    const Level stream_level = options.stream_level;
    const Level file_level = options.file_level;
    set_sink([file, file_level, stream, stream_level](Level level, std::string_view line) {
        if (stream_level != Level::None && level >= stream_level) stream->add(line);
        if (file && level >= file_level) file->add(line);
    });
    return outcome;
}

void write_to_stream(std::string_view line) {
    const std::lock_guard lock(g_stream_mutex);
    if (stream_writer()) stream_writer()->add(line);
}

bool flush(std::chrono::milliseconds limit) { return LineWriter::wait_until_written(limit); }

void flush_on_fatal_signals() {
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        struct sigaction now {};
        if (::sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
        struct sigaction ours {};
        ours.sa_handler = wait_for_the_log;
        ours.sa_flags = static_cast<int>(SA_RESETHAND);
        ::sigaction(signal, &ours, nullptr);
    }
}

}  // namespace nodeagent::log
