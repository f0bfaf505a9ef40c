#pragma once
// Messages in shared memory, first in, first out: one process writes, one reads. A message stays until it is released,
// so that a reader that was killed is followed by one that begins where the released part ends. Pages of released
// messages go back to the system.

#include <cstdint>
#include <optional>

#include "runtime/logs/message.hpp"
#include "runtime/logs/shared.hpp"

namespace nodeagent::runtime::logs {

struct RingLimits {
    std::uint64_t text_bytes = 4U << 20U;  ///< Docker's max-buffer-size counts nothing but text
    std::uint64_t messages = 0;            ///< 0: any number
};

class Ring {
  public:
    Ring(SharedMemory& memory, RingLimits limits);

    // ---- the writer
    /// False if there is no room. A message longer than the limit fits into an empty ring. Seen by the other side after
    /// commit().
    bool push(const Message& message);
    void commit();
    /// Less than half full.
    [[nodiscard]] bool has_ease() const;
    /// Text not released yet.
    [[nodiscard]] std::uint64_t waiting_bytes() const;

    // ---- the reader
    /// The message at the cursor; its text stays valid until it is released.
    [[nodiscard]] std::optional<Message> peek();
    void advance();
    [[nodiscard]] std::uint64_t cursor() const { return cursor_; }
    void release(std::uint64_t cursor);
    /// Back to what is not released.
    void rewind() { cursor_ = state_.done.load(); }

  private:
    [[nodiscard]] char* at(std::uint64_t position) const { return memory_.ring() + position % memory_.ring_bytes(); }
    [[nodiscard]] std::uint64_t until_wrap(std::uint64_t position) const {
        return memory_.ring_bytes() - position % memory_.ring_bytes();
    }
    void give_back(std::uint64_t upto);

    SharedMemory& memory_;
    RingState& state_;
    RingLimits limits_;
    std::uint64_t head_;  ///< the writer's, ahead of what is committed
    std::uint64_t new_texts_ = 0;
    std::uint64_t new_count_ = 0;
    std::uint64_t cursor_;
};

/// The size of memory for these limits: text, headers of lines of some length, and the end that no record fits into.
[[nodiscard]] std::size_t ring_memory(const RingLimits& limits);

}  // namespace nodeagent::runtime::logs
