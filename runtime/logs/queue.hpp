#pragma once
// All that waits, in the order of lines: the ring, and the spool for what it has no room for. Either may hold the older
// line; sequence numbers tell.

#include <optional>
#include <string>

#include "runtime/logs/ring.hpp"
#include "runtime/logs/spool.hpp"

namespace nodeagent::runtime::logs {

/// The reader's end.
class QueueIn {
  public:
    QueueIn(SharedMemory& memory, RingLimits limits, SpoolPlace place);
    /// Gives the message its sequence. False if neither has room.
    bool push(Message& message);
    void commit();
    /// Counts the line as lost; the next one that finds room is preceded by a word about it.
    void drop(const Message& message);
    /// Tells of lost lines in the stream, once there is room. True if nothing is left to tell.
    bool tell_gap(std::int64_t now);
    [[nodiscard]] std::uint64_t waiting_bytes() const { return ring_.waiting_bytes(); }

  private:
    bool place(Message& message);
    SharedState& state_;
    Ring ring_;
    SpoolWriter spool_;
    bool spooling_ = false;
};

struct QueuePosition {
    std::uint64_t ring = 0;
    SpoolPosition spool;
};

/// The sender's end.
class QueueOut {
  public:
    QueueOut(SharedMemory& memory, RingLimits limits, SpoolPlace place);
    /// The oldest line that was not taken; its text stays valid until the next advance().
    [[nodiscard]] std::optional<Message> peek();
    void advance();
    /// After the last line taken.
    [[nodiscard]] QueuePosition position() const { return {ring_.cursor(), spool_.cursor()}; }
    /// All before it need not be kept any more.
    void release(const QueuePosition& position);
    /// At the end: what the ring still holds goes to a file beside the spool, for the next program (load_rest). False
    /// if there is no spool or the disk does not take it; `lost` gets what is not kept.
    bool save_rest(Gap& lost);
    void remove_spool() { spool_.remove_all(); }
    /// Something waits, taken or not.
    [[nodiscard]] bool unsent() const;

  private:
    SharedState& state_;
    SpoolPlace place_;
    Ring ring_;
    SpoolReader spool_;
    bool from_ring_ = true;
};

/// Puts what save_rest() wrote back into the ring. Before the pair begins, after open_spool().
void load_rest(SharedMemory& memory, RingLimits limits, const SpoolPlace& place);

/// "ecs-awslogs: 3 lines (120 bytes) dropped between T1 and T2: <reason>"
[[nodiscard]] std::string gap_text(const Gap& gap, std::string_view reason);

}  // namespace nodeagent::runtime::logs
