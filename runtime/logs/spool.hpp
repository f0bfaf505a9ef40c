#pragma once
// What memory does not hold, in a file: bounded, first in, first out, and there after a kill. Its records are those of the
// ring. One process at a time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/fd.hpp"
#include "runtime/logs/ring.hpp"

namespace nodeagent::runtime::logs {

class Spool {
  public:
    /// `folder` is made when something is put in. `bound` in bytes; 0: nothing is ever taken.
    Spool(std::string folder, std::uint64_t bound);

    /// False when it is full, or the disk is.
    bool push(Source source, Nanos time, std::string_view text);
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    [[nodiscard]] std::uint64_t used() const { return end_ - begin_; }
    [[nodiscard]] std::uint64_t begin() const { return begin_; }
    /// As Ring's. What cannot be read, of a file that somebody has cut, ends the spool there.
    std::optional<Record> read(std::uint64_t& position);
    void release(std::uint64_t position);

  private:
    [[nodiscard]] std::string file() const { return folder_ + "/spool"; }

    std::string folder_;
    std::uint64_t bound_;
    Fd file_;
    std::uint64_t begin_ = 0, end_ = 0;
    std::string pending_;  ///< read ahead
    std::uint64_t pending_at_ = 0;
};

}  // namespace nodeagent::runtime::logs
