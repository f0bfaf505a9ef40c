#include "runtime/logs/sender.hpp"

#include <malloc.h>
#include <poll.h>

namespace nodeagent::runtime::logs {
namespace {

using std::chrono::steady_clock;
constexpr std::uint64_t kTrimAfter = 256U << 10U;

class Sender {
  public:
    Sender(Pair& pair, SharedMemory& memory, const SenderSetup& setup)
        : pair_(pair),
          state_(memory.state()),
          setup_(setup),
          queue_(memory, setup.limits, setup.spool),
          status_(setup.config.status_file, state_) {}

    int run() {
        const bool able = make_sink();
        if (able) pair_.forget = [this] { sink_->forget(); };
        status_.update("running", true);
        while (!pair_.over()) {
            pair_.quiet();
            const bool ended = state_.input_ended != 0;  // before the look: lines come before the end
            if (able) {
                take();
            } else {
                drop_all();
            }
            if (pair_.over()) break;
            if (ended && !queue_.peek()) {
                if (able) flush(true);
                if (pair_.over()) break;
                return end("ended");
            }
            if (able && sink_->waiting() && steady_clock::now() >= due_) {
                flush(false);
            } else if (!ended) {
                wait(able && sink_->waiting());
            }
        }
        return give_up();
    }

  private:
    bool make_sink() {
        SinkTools tools{.pair = pair_, .state = state_, .status = status_, .sent = [this] { queue_.release(safe_); }};
        const std::string& driver = setup_.config.driver;
        auto made = driver == "awslogs"     ? make_awslogs(setup_.config, std::move(tools))
                    : driver == "json-file" ? make_json_file(setup_.config, std::move(tools))
                                            : make_journald(setup_.config, std::move(tools));
        if (made) {
            sink_ = std::move(*made);
            return true;
        }
        status_.failed(made.error().what);
        return false;
    }

    void take() {
        while (const auto line = queue_.peek()) {
            const QueuePosition before = queue_.position();
            const bool idle = !sink_->waiting();
            // what is published while this line is added ends before it, or before the lines held back
            if (sink_->lines_held() == 0) safe_ = before;
            sink_->add(*line);
            if (pair_.over()) return;
            if (sink_->lines_held() == 1) safe_ = before;
            taken_ += line->text.size();
            queue_.advance();
            if (idle) due_ = steady_clock::now() + sink_->interval();
        }
    }

    /// A driver that cannot work must not hold up the container.
    void drop_all() {
        while (const auto line = queue_.peek()) {
            ++state_.counts.dropped_lines;
            state_.counts.dropped_bytes += line->text.size();
            queue_.advance();
        }
        queue_.release(queue_.position());
    }

    void flush(bool last) {
        if (sink_->lines_held() == 0) safe_ = queue_.position();
        sink_->flush(last);
        if (pair_.over()) return;
        if (sink_->lines_held() == 0) safe_ = queue_.position();
        queue_.release(safe_);
        due_ = steady_clock::now() + sink_->interval();
        status_.update("running", false);
        if (taken_ > kTrimAfter) {
            taken_ = 0;
            ::malloc_trim(0);
        }
        if (state_.reader_waits != 0) pair_.wake_partner();
    }

    void wait(bool waiting) {
        state_.sender_waits = waiting ? 2 : 1;
        const Monotonic until = waiting ? due_ : steady_clock::now() + std::chrono::seconds(10);
        // a line that came before the reader could know that it is waited for
        if (!queue_.peek()) pair_.wait(pair_.bell(), POLLIN, until);
        state_.sender_waits = 0;
        if (!waiting) status_.update("running", false);
    }

    /// Time is up: what waits is kept for another program, or told of as lost.
    int give_up() {
        Gap lost;
        if (!queue_.save_rest(lost)) {
            state_.counts.dropped_lines += lost.lines;
            state_.counts.dropped_bytes += lost.bytes;
            tell_host(gap_text(lost, "the container has ended and the service did not take them in time"));
        }
        const bool left = setup_.spool.usable() && (queue_.unsent() || lost.lines > 0);
        return end(left ? "unsent" : "ended");
    }

    int end(std::string_view condition) {
        status_.update(condition, true);
        state_.finished = 1;
        pair_.wake_partner();
        return 0;
    }

    Pair& pair_;
    SharedState& state_;
    const SenderSetup& setup_;
    QueueOut queue_;
    StatusFile status_;
    std::unique_ptr<Sink> sink_;
    QueuePosition safe_;
    Monotonic due_{};
    std::uint64_t taken_ = 0;
};

}  // namespace

int run_sender(Pair& pair, SharedMemory& memory, const SenderSetup& setup) {
    Sender sender(pair, memory, setup);
    return sender.run();
}

}  // namespace nodeagent::runtime::logs
