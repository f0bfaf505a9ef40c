#pragma once
// Lines that wait, in memory that the supervisor shares with its worker: a worker that takes the place of a killed one goes
// on where that one was. First in, first out; one process at a time.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/logs/message.hpp"

namespace nodeagent::runtime::logs {

struct Record {
    Source source = Source::Stdout;
    Nanos time = 0;
    std::string text;
};

/// A record as bytes, in the ring and in the spool: length, time, source, text.
inline constexpr std::size_t kRecordHeader = 4 + 8 + 1;

class Ring {
  public:
    /// Anonymous shared memory of that many bytes; only what is used of it is resident. `capacity` at least 4096. Ends the
    /// process when the memory cannot be had.
    explicit Ring(std::size_t capacity);
    ~Ring();
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    /// False when it does not fit; a record alone in an empty ring is cut to fit.
    bool push(Source source, Nanos time, std::string_view text);
    /// A position to read from; positions grow with every record.
    [[nodiscard]] std::uint64_t begin() const;
    [[nodiscard]] std::uint64_t end() const;
    /// The record at `position`, which then is that of the next; nothing at the end.
    [[nodiscard]] std::optional<Record> read(std::uint64_t& position) const;
    /// Forgets what lies before `position`. Memory of an emptied ring goes back to the kernel.
    void release(std::uint64_t position);
    [[nodiscard]] bool empty() const { return begin() == end(); }
    [[nodiscard]] std::size_t used() const { return static_cast<std::size_t>(end() - begin()); }

  private:
    struct Header;
    void copy_in(std::uint64_t position, const void* bytes, std::size_t size);
    void copy_out(std::uint64_t position, void* bytes, std::size_t size) const;

    Header* header_;
    char* bytes_;
    std::size_t capacity_;
    std::size_t mapped_;
};

}  // namespace nodeagent::runtime::logs
