#include "runtime/logs/ring.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace nodeagent::runtime::logs {
namespace {

constexpr std::uint32_t kSkip = 0xffffffffU;  // as a length: go on at the begin of the memory
constexpr std::uint64_t kFreeAtOnce = 128U << 10U;
constexpr std::uint64_t kRingPage = 4096;

std::uint64_t record_bytes(std::size_t text) { return (sizeof(RecordHeader) + text + 7) / 8 * 8; }

}  // namespace

Ring::Ring(SharedMemory& memory, RingLimits limits)
    : memory_(memory),
      state_(memory.state().ring),
      limits_(limits),
      head_(state_.head.load()),
      cursor_(state_.done.load()) {}

bool Ring::push(const Message& message) {
    const std::uint64_t tail = state_.tail.load(std::memory_order_acquire);
    const std::uint64_t texts =
        state_.texts.load(std::memory_order_relaxed) + new_texts_ - state_.texts_done.load(std::memory_order_relaxed);
    const std::uint64_t count =
        state_.count.load(std::memory_order_relaxed) + new_count_ - state_.count_done.load(std::memory_order_relaxed);
    if (count > 0 && texts + message.text.size() > limits_.text_bytes) return false;
    if (limits_.messages != 0 && count >= limits_.messages) return false;
    const std::uint64_t needed = record_bytes(message.text.size());
    std::uint64_t begin = head_;
    const std::uint64_t left = until_wrap(begin);
    if (left < needed) begin += left;
    if (begin + needed - tail > memory_.ring_bytes()) return false;
    if (begin != head_ && left >= sizeof(std::uint32_t)) std::memcpy(at(head_), &kSkip, sizeof kSkip);
    const RecordHeader header = header_of(message);
    std::memcpy(at(begin), &header, sizeof header);
    std::memcpy(at(begin) + sizeof header, message.text.data(), message.text.size());
    head_ = begin + needed;
    new_texts_ += message.text.size();
    ++new_count_;
    return true;
}

void Ring::commit() {
    state_.texts.store(state_.texts.load(std::memory_order_relaxed) + std::exchange(new_texts_, 0));
    state_.count.store(state_.count.load(std::memory_order_relaxed) + std::exchange(new_count_, 0));
    state_.head.store(head_, std::memory_order_release);
}

bool Ring::has_ease() const {
    const std::uint64_t count = state_.count.load() + new_count_ - state_.count_done.load();
    return waiting_bytes() < limits_.text_bytes / 2 && head_ - state_.tail.load() < memory_.ring_bytes() / 2 &&
           (limits_.messages == 0 || count < (limits_.messages + 1) / 2);
}

std::uint64_t Ring::waiting_bytes() const { return state_.texts.load() + new_texts_ - state_.texts_done.load(); }

std::optional<Message> Ring::peek() {
    const std::uint64_t head = state_.head.load(std::memory_order_acquire);
    while (cursor_ < head) {
        RecordHeader header;
        const std::uint64_t left = until_wrap(cursor_);
        std::uint32_t length = kSkip;
        if (left >= sizeof length) std::memcpy(&length, at(cursor_), sizeof length);
        if (length == kSkip) {
            cursor_ += left;
            continue;
        }
        std::memcpy(&header, at(cursor_), sizeof header);
        return message_of(header, {at(cursor_) + sizeof header, header.length});
    }
    return std::nullopt;
}

void Ring::advance() {
    std::uint32_t length = 0;
    std::memcpy(&length, at(cursor_), sizeof length);
    cursor_ += record_bytes(length);
}

void Ring::release(std::uint64_t cursor) {
    const std::uint64_t done = state_.done.load(std::memory_order_relaxed);
    if (cursor <= done) return;
    std::uint64_t texts = 0;
    std::uint64_t count = 0;
    for (std::uint64_t position = done; position < cursor;) {
        const std::uint64_t left = until_wrap(position);
        std::uint32_t length = kSkip;
        if (left >= sizeof length) std::memcpy(&length, at(position), sizeof length);
        if (length == kSkip) {
            position += left;
            continue;
        }
        texts += length;
        ++count;
        position += record_bytes(length);
    }
    state_.done.store(cursor);
    state_.texts_done.store(state_.texts_done.load(std::memory_order_relaxed) + texts);
    state_.count_done.store(state_.count_done.load(std::memory_order_relaxed) + count);
    if (cursor - state_.tail.load() >= kFreeAtOnce) give_back(cursor);
}

// The tail moves last: until then nobody writes to these pages.
void Ring::give_back(std::uint64_t upto) {
    std::uint64_t begin = (state_.tail.load() + kRingPage - 1) / kRingPage * kRingPage;
    const std::uint64_t end = upto / kRingPage * kRingPage;
    while (begin < end) {
        const std::uint64_t length = std::min(end - begin, until_wrap(begin));
        ::madvise(at(begin), length, MADV_REMOVE);
        begin += length;
    }
    state_.tail.store(upto, std::memory_order_release);
}

std::size_t ring_memory(const RingLimits& limits) {
    return static_cast<std::size_t>(limits.text_bytes) * 2 + (std::size_t{2} << 20U);
}

}  // namespace nodeagent::runtime::logs
