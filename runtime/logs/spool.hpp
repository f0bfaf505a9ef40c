#pragma once
// Messages on disk, for which memory had no room: segments of 4 MiB in a directory of the container's own, written by
// one process and read by another. The place up to which all was sent is in the file "position"; both survive the end
// of the program, and the next one with this directory goes on there. A record that a crash cut off or that is damaged
// ends its segment.

#include <cstdint>
#include <optional>
#include <string>

#include "agent/base/error.hpp"
#include "agent/base/fd.hpp"
#include "runtime/logs/message.hpp"
#include "runtime/logs/shared.hpp"
#include "runtime/logs/spool_files.hpp"

namespace nodeagent::runtime::logs {

inline constexpr std::uint64_t kSegmentBytes = 4U << 20U;

struct SpoolPlace {
    std::string directory;  ///< empty: nothing is kept
    std::uint64_t max_bytes = 0;
    [[nodiscard]] bool usable() const { return !directory.empty() && max_bytes > 0; }
};

/// Finds what an earlier program left, once, before the pair begins: fills `state.spool`, and moves `next_sequence`
/// above what is there. Unavailable if the directory is another program's.
[[nodiscard]] Result<Fd> open_spool(const SpoolPlace& place, SharedState& state);

class SpoolWriter {
  public:
    SpoolWriter(SpoolPlace place, SharedState& state);
    /// False if there is no room, in the spool or on the disk. On disk and seen by the reader after commit().
    bool push(const Message& message);
    /// False if the disk did not take it: what was pushed since the last commit is not kept.
    bool commit();
    [[nodiscard]] bool holds(std::uint64_t more) const;

  private:
    bool open_segment();
    SpoolPlace place_;
    SpoolState& state_;
    Fd file_;
    std::uint64_t open_segment_ = 0;
    std::string pending_;
};

class SpoolReader {
  public:
    SpoolReader(SpoolPlace place, SharedState& state);
    /// The message at the cursor; its text stays valid until the next advance().
    [[nodiscard]] std::optional<Message> peek();
    void advance();
    [[nodiscard]] SpoolPosition cursor() const { return cursor_; }
    /// All before it was sent: whole segments go.
    void release(SpoolPosition position);
    /// All was sent and nothing more comes: the files go.
    void remove_all();

  private:
    bool load();
    void next_segment();
    void remove(std::uint64_t segment);
    SpoolPlace place_;
    SharedState& shared_;
    SpoolState& state_;
    SpoolPosition cursor_;
    Fd file_;
    Fd position_file_;
    std::uint64_t open_segment_ = 0;
    std::string window_;  ///< of the open segment, from window_begin_
    std::uint64_t window_begin_ = 0;
    std::size_t record_ = 0;  ///< bytes of the one peeked; 0: none is
};

}  // namespace nodeagent::runtime::logs
