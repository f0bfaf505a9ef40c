#pragma once
// The memory that the two processes of a logger share: what one knew when it was killed, the other goes on with.
//
//   reader: pipes -> input -> line -> ring or spool        sender: ring, spool -> the service
//
// One writer for each member. Pages that nobody has touched do not exist.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "agent/base/error.hpp"
#include "runtime/logs/message.hpp"

namespace nodeagent::runtime::logs {

inline constexpr std::size_t kInputBytes = 65'536;

/// A pipe's bytes on their way to lines. The reader's.
struct InputState {
    std::atomic<std::uint32_t> begin{0};  ///< of what is in `input` and not split yet
    std::atomic<std::uint32_t> end{0};
    std::atomic<std::uint32_t> filled{0};  ///< of `line`: the begin of a line whose end has not come
    std::atomic<std::uint32_t> ended{0};
    std::int64_t partial_time = 0;  ///< of the line's first part, when parts of it are out
    std::uint64_t partial_id = 0;   ///< 0: none is
    std::uint32_t ordinal = 0;
    alignas(64) std::array<char, kInputBytes> input;
    std::array<char, kMaxEvent> line;
};

struct RingState {
    std::atomic<std::uint64_t> head{0};   ///< the reader's: bytes ever written
    std::atomic<std::uint64_t> done{0};   ///< the sender's: bytes that were sent
    std::atomic<std::uint64_t> tail{0};   ///< the sender's, behind `done`: bytes that the reader may write over
    std::atomic<std::uint64_t> texts{0};  ///< text bytes ever written
    std::atomic<std::uint64_t> texts_done{0};
    std::atomic<std::uint64_t> count{0};  ///< messages ever written
    std::atomic<std::uint64_t> count_done{0};
};

struct SpoolState {
    std::atomic<std::uint64_t> write_segment{0};  ///< the reader's
    std::atomic<std::uint64_t> write_offset{0};
    std::atomic<std::uint64_t> done_segment{0};  ///< the sender's: what lies before was sent
    std::atomic<std::uint64_t> done_offset{0};
    std::atomic<std::uint64_t> bytes{0};  ///< of all segments there are
};

struct Counts {
    std::atomic<std::uint64_t> lines{0};  ///< read, parts of long lines counted
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> spooled_lines{0};
    std::atomic<std::uint64_t> events{0};  ///< the service took, or a file
    std::atomic<std::uint64_t> event_bytes{0};
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> failed_requests{0};
    std::atomic<std::uint64_t> rejected_events{0};  ///< the service said it does not keep: too old, too new, expired
    std::atomic<std::uint64_t> refused_events{0};   ///< of batches the service refused for good
    std::atomic<std::uint64_t> dropped_lines{0};    ///< no room, or no time left at the end
    std::atomic<std::uint64_t> dropped_bytes{0};
    std::atomic<std::uint64_t> damaged_records{0};  ///< of a spool
    std::atomic<std::uint64_t> restarts{0};         ///< one process of the pair took the other's place
};

/// Lines dropped and not told of in the stream yet. The reader's.
struct Gap {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    std::int64_t from = 0;
    std::int64_t until = 0;
};

struct SharedState {
    std::array<InputState, 2> inputs;
    RingState ring;
    SpoolState spool;
    Counts counts;
    Gap gap;
    std::atomic<std::uint64_t> next_sequence{1};
    std::atomic<std::uint32_t> input_ended{0};   ///< the reader has nothing more
    std::atomic<std::uint32_t> finished{0};      ///< the sender has nothing more
    std::atomic<std::uint32_t> reader_waits{0};  ///< for room
    std::atomic<std::uint32_t> sender_waits{0};  ///< 1: for anything; 2: for a good deal
    std::atomic<std::uint32_t> adopted{0};       ///< the process that the shim started is gone
    std::uint64_t rest_end = 0;                  ///< the sender's: of what load_rest() put into the ring; 0: sent
    std::int64_t began = 0;                      ///< wall clock, ns; set once, before the pair begins
    std::atomic<std::int64_t> deadline{0};       ///< CLOCK_MONOTONIC ns at which the sender gives up; 0: none
};

/// The state and `ring_bytes` after it, anonymous, shared with children.
class SharedMemory {
  public:
    [[nodiscard]] static Result<std::unique_ptr<SharedMemory>> make(std::size_t ring_bytes);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    [[nodiscard]] SharedState& state() const { return *state_; }
    [[nodiscard]] char* ring() const { return ring_; }
    [[nodiscard]] std::size_t ring_bytes() const { return ring_bytes_; }

  private:
    SharedMemory(SharedState* state, char* ring, std::size_t ring_bytes)
        : state_(state), ring_(ring), ring_bytes_(ring_bytes) {}
    SharedState* state_;
    char* ring_;
    std::size_t ring_bytes_;
};

}  // namespace nodeagent::runtime::logs
