#include "runtime/logs/reader.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <vector>

#include "runtime/logs/splitter.hpp"

namespace nodeagent::runtime::logs {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds kRoomAgain{200};
constexpr std::uint64_t kGoodDeal = 256U << 10U;

std::int64_t wall_nanoseconds() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

class Reader {
  public:
    Reader(Pair& pair, SharedMemory& memory, const ReaderSetup& setup)
        : pair_(pair), state_(memory.state()), setup_(setup), queue_(memory, setup.limits, setup.spool) {
        for (std::size_t i = 0; i < 2; ++i) {
            splitters_.emplace_back(
                state_.inputs[i], static_cast<Stream>(i), setup.longest_line,
                [this](Message& line) { return put(line); }, [this] { commit(); });
            if (setup.pipes[i] < 0) state_.inputs[i].ended = 1;
        }
    }

    int run() {
        while (true) {
            if (pair_.told_to_stop()) {
                pair_.end_in(setup_.grace);
                pair_.wake_partner();
            }
            if (state_.finished != 0) return 0;
            if (pair_.over() && !pair_.partner_lives()) return 0;
            const bool blocked = split_rest();
            const bool untold = !queue_.tell_gap(wall_nanoseconds());
            commit();
            const bool ended = state_.inputs[0].ended != 0 && state_.inputs[1].ended != 0;
            if (ended && !untold) end_of_input();
            state_.reader_waits = blocked || untold ? 1 : 0;
            wait(blocked, ended && untold);
        }
    }

  private:
    bool put(Message& line) {
        ++lines_;
        bytes_ += line.text.size();
        if (setup_.discard) return true;
        if (queue_.push(line)) return true;
        if (setup_.blocking) {
            --lines_;
            bytes_ -= line.text.size();
            return false;
        }
        queue_.drop(line);
        return true;
    }

    void commit() {
        queue_.commit();
        state_.counts.lines += std::exchange(lines_, 0);
        state_.counts.bytes += std::exchange(bytes_, 0);
        const std::uint32_t waits = state_.sender_waits;
        if (waits == 0 || state_.counts.lines == told_lines_) return;
        if (waits == 2 && queue_.waiting_bytes() < kGoodDeal) return;
        told_lines_ = state_.counts.lines;
        state_.sender_waits = 0;
        pair_.wake_partner();
    }

    /// What an earlier call found no room for. True if there is none still.
    bool split_rest() {
        bool blocked = false;
        for (std::size_t i = 0; i < 2; ++i) {
            InputState& input = state_.inputs[i];
            if (input.begin < input.end && !splitters_[i].run(wall_nanoseconds())) blocked = true;
            if (input.begin >= input.end && closing_[i] && input.ended == 0 && !splitters_[i].end(wall_nanoseconds())) {
                blocked = true;
            }
        }
        return blocked;
    }

    void end_of_input() {
        if (state_.input_ended == 0) {
            state_.input_ended = 1;
            pair_.wake_partner();
        }
        if (state_.adopted != 0) pair_.end_in(setup_.grace);
    }

    void wait(bool blocked, bool untold) {
        std::array<pollfd, 3> fds{};
        fds[0] = {.fd = pair_.bell(), .events = POLLIN, .revents = 0};
        bool closing = false;
        for (std::size_t i = 0; i < 2; ++i) {
            const InputState& input = state_.inputs[i];
            const bool open = input.ended == 0 && !closing_[i] && input.begin >= input.end;
            closing = closing || (closing_[i] && input.ended == 0);
            fds[i + 1] = {.fd = open && !blocked ? setup_.pipes[i] : -1, .events = POLLIN, .revents = 0};
        }
        const auto patience = blocked || closing || untold ? steady_clock::duration(kRoomAgain) : std::chrono::hours(1);
        if (!pair_.wait_any(fds.data(), fds.size(), steady_clock::now() + patience)) return;
        if (fds[0].revents != 0) pair_.quiet();
        for (std::size_t i = 0; i < 2; ++i) {
            if (fds[i + 1].revents != 0) read(i);
        }
    }

    void read(std::size_t i) {
        InputState& input = state_.inputs[i];
        const ssize_t got = ::read(setup_.pipes[i], input.input.data(), input.input.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (got <= 0) {
            closing_[i] = true;  // a failed pipe has no more to give either
            return;
        }
        input.begin = 0;
        input.end = static_cast<std::uint32_t>(got);
        splitters_[i].run(wall_nanoseconds());
    }

    Pair& pair_;
    SharedState& state_;
    const ReaderSetup& setup_;
    QueueIn queue_;
    std::vector<Splitter> splitters_;
    std::array<bool, 2> closing_{};
    std::uint64_t lines_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t told_lines_ = 0;
};

}  // namespace

int run_reader(Pair& pair, SharedMemory& memory, const ReaderSetup& setup) {
    Reader reader(pair, memory, setup);
    return reader.run();
}

}  // namespace nodeagent::runtime::logs
