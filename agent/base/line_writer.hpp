#pragma once
// Writes lines on a thread of its own: a pipe that nobody reads or a disk that hangs holds up nobody who logs. Lines
// wait in memory up to a bound; what comes beyond it, or cannot be written, is lost, counted, and told once lines flow
// again.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace nodeagent {

class LineWriter {
  public:
    /// Both are called on the writer's thread, one at a time, and may block.
    struct Output {
        /// Puts out one line, given without newline; false when it is lost.
        std::function<bool(std::string_view line)> write;
        /// So many lines are missing before what is written next. False: it could not be told; the next line tries
        /// again.
        std::function<bool(std::uint64_t lost)> tell;
    };
    /// `limit`: bytes of lines that wait; as many again may be with the thread. The thread starts with the first line.
    explicit LineWriter(Output output, std::size_t limit = std::size_t{128} << 10U);
    /// Waits a second for the lines that are left. A thread that is still blocked then is left behind, with its output.
    ~LineWriter();
    LineWriter(const LineWriter&) = delete;
    LineWriter& operator=(const LineWriter&) = delete;

    /// Thread-safe, never blocks on the output. A line longer than the limit is lost.
    void add(std::string_view line);

    /// Lines of all writers that wait or are being written. May be called in a signal handler.
    [[nodiscard]] static std::size_t unwritten();
    /// Waits until there are none, at most `limit`; whether there are none. May be called in a signal handler.
    static bool wait_until_written(std::chrono::milliseconds limit);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nodeagent
