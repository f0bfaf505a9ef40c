#include "agent/base/line_writer.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace nodeagent {

namespace {

std::atomic<std::size_t> g_unwritten_lines{0};
static_assert(std::atomic<std::size_t>::is_always_lock_free, "signal handlers look at it");

/// A burst leaves no memory behind it.
constexpr std::size_t kKeptCapacity = 8192;

}  // namespace

struct LineWriter::State {
    State(Output to, std::size_t bytes) : output(std::move(to)), limit(bytes) {}

    /// Until stopping and empty.
    void run() {
        std::string batch;
        std::unique_lock lock(mutex);
        for (;;) {
            ready.wait(lock, [this] { return stopping || !waiting.empty(); });
            if (waiting.empty()) break;
            batch.swap(waiting);
            lost += std::exchange(refused, 0);  // they came after these lines
            lock.unlock();
            put_out(batch);
            batch.clear();
            if (batch.capacity() > kKeptCapacity) batch.shrink_to_fit();
            lock.lock();
        }
        ended = true;
        done.notify_all();
    }

    void put_out(std::string_view batch) {
        bool flows = false;
        std::size_t lines = 0;
        while (!batch.empty()) {
            const std::size_t end = batch.find('\n');
            flows = output.write(batch.substr(0, end));
            if (!flows) ++lost;
            batch.remove_prefix(end + 1);
            // the last one only after what is lost has been told: whoever waits then sees that too
            if (!batch.empty()) g_unwritten_lines.fetch_sub(1);
            ++lines;
        }
        if (flows && lost > 0 && output.tell(lost)) lost = 0;
        if (lines > 0) g_unwritten_lines.fetch_sub(1);
    }

    const Output output;
    const std::size_t limit;
    std::uint64_t lost = 0;  ///< the thread's: not yet told
    std::mutex mutex;
    std::condition_variable ready, done;
    std::string waiting;        ///< lines, each with its newline
    std::uint64_t refused = 0;  ///< since the thread last took lines
    bool started = false, stopping = false, ended = false;
};

LineWriter::LineWriter(Output output, std::size_t limit) : state_(std::make_shared<State>(std::move(output), limit)) {}

LineWriter::~LineWriter() {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->ready.notify_one();
    if (state_->started) state_->done.wait_for(lock, std::chrono::seconds(1), [this] { return state_->ended; });
}

void LineWriter::add(std::string_view line) {
    State& self = *state_;
    const std::lock_guard lock(self.mutex);
    if (!self.started) {
        try {
            std::thread([state = state_] {
                pthread_setname_np(pthread_self(), "log");
                state->run();
            }).detach();
            self.started = true;
        } catch (const std::system_error&) {  // no thread to be had: the next line tries again
            ++self.refused;
            return;
        }
    }
    if (self.waiting.size() + line.size() + 1 > self.limit) {
        ++self.refused;
        return;
    }
    g_unwritten_lines.fetch_add(1);
    const bool idle = self.waiting.empty();
    // an embedded newline would be taken for two lines, and counted once
    self.waiting += line;
    std::replace(self.waiting.end() - static_cast<std::ptrdiff_t>(line.size()), self.waiting.end(), '\n', ' ');
    self.waiting += '\n';
    if (idle) self.ready.notify_one();
}

std::size_t LineWriter::unwritten() { return g_unwritten_lines.load(); }

bool LineWriter::wait_until_written(std::chrono::milliseconds limit) {
    for (auto left = limit; unwritten() > 0; left -= std::chrono::milliseconds(1)) {
        if (left <= std::chrono::milliseconds(0)) return false;
        const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
        ::nanosleep(&pause, nullptr);
    }
    return true;
}

}  // namespace nodeagent
