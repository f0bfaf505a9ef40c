#include "runtime/logs/queue.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "agent/base/files.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::runtime::logs {
namespace {

constexpr std::string_view kNoRoom = "the buffer and the spool were full";

std::string time_text(std::int64_t nanoseconds) {
    return rfc3339_nanos(std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(nanoseconds))));
}

}  // namespace

std::string gap_text(const Gap& gap, std::string_view reason) {
    return "ecs-awslogs: " + std::to_string(gap.lines) + " lines (" + std::to_string(gap.bytes) +
           " bytes) dropped between " + time_text(gap.from) + " and " + time_text(gap.until) + ": " +
           std::string(reason);
}

QueueIn::QueueIn(SharedMemory& memory, RingLimits limits, SpoolPlace place)
    : state_(memory.state()), ring_(memory, limits), spool_(std::move(place), memory.state()) {}

bool QueueIn::place(Message& message) {
    message.sequence = state_.next_sequence.load(std::memory_order_relaxed);
    if (spooling_) spooling_ = !ring_.has_ease();
    bool kept = !spooling_ && ring_.push(message);
    if (!kept && spool_.push(message)) {
        kept = true;
        spooling_ = true;
        ++state_.counts.spooled_lines;
    }
    if (!kept) kept = ring_.push(message);  // a full spool and a ring that has found some room since
    if (kept) state_.next_sequence.store(message.sequence + 1, std::memory_order_relaxed);
    return kept;
}

bool QueueIn::push(Message& message) {
    if (state_.gap.lines != 0 && !tell_gap(message.time)) return false;
    return place(message);
}

void QueueIn::commit() {
    spool_.commit();
    ring_.commit();
}

void QueueIn::drop(const Message& message) {
    Gap& gap = state_.gap;
    if (gap.lines == 0) gap.from = message.time;
    gap.until = message.time;
    ++gap.lines;
    gap.bytes += message.text.size();
    ++state_.counts.dropped_lines;
    state_.counts.dropped_bytes += message.text.size();
}

bool QueueIn::tell_gap(std::int64_t now) {
    if (state_.gap.lines == 0) return true;
    const std::string text = gap_text(state_.gap, kNoRoom);
    Message told;
    told.text = text;
    told.time = now;
    told.stream = Stream::Stderr;
    if (!place(told)) return false;
    state_.gap = Gap{};
    return true;
}

QueueOut::QueueOut(SharedMemory& memory, RingLimits limits, SpoolPlace place)
    : state_(memory.state()), place_(place), ring_(memory, limits), spool_(std::move(place), memory.state()) {}

std::optional<Message> QueueOut::peek() {
    auto in_ring = ring_.peek();
    auto in_spool = spool_.peek();
    from_ring_ = in_ring && (!in_spool || in_ring->sequence < in_spool->sequence);
    return from_ring_ ? in_ring : in_spool;
}

void QueueOut::advance() {
    if (from_ring_) {
        ring_.advance();
    } else {
        spool_.advance();
    }
}

void QueueOut::release(const QueuePosition& position) {
    ring_.release(position.ring);
    spool_.release(position.spool);
    if (state_.rest_end == 0 || state_.ring.done < state_.rest_end) return;
    ::unlink(rest_path(place_.directory).c_str());
    state_.rest_end = 0;
}

bool QueueOut::unsent() const {
    const SpoolState& spool = state_.spool;
    return state_.ring.done < state_.ring.head || spool.done_segment < spool.write_segment ||
           (spool.done_segment == spool.write_segment && spool.done_offset < spool.write_offset);
}

bool QueueOut::save_rest(Gap& lost) {
    std::string rest;
    Ring ring = ring_;
    ring.rewind();
    std::uint64_t lines = 0;
    while (const auto message = ring.peek()) {
        const RecordHeader header = header_of(*message);
        rest.append(reinterpret_cast<const char*>(&header), sizeof header).append(message->text);
        if (lines++ == 0) lost.from = message->time;
        lost.until = message->time;
        lost.bytes += message->text.size();
        ring.advance();
    }
    if (lines == 0) return true;
    if (place_.usable() && replace_file(rest_path(place_.directory), rest, 0600)) {
        lost = Gap{};
        return true;
    }
    lost.lines = lines;
    return false;
}

void load_rest(SharedMemory& memory, RingLimits limits, const SpoolPlace& place) {
    if (!place.usable()) return;
    const auto rest = read_file(rest_path(place.directory), std::size_t{4} << 30U);
    if (!rest) return;
    Ring ring(memory, limits);
    SharedState& state = memory.state();
    std::string_view left = *rest;
    while (left.size() >= sizeof(RecordHeader)) {
        RecordHeader header;
        std::memcpy(&header, left.data(), sizeof header);
        left.remove_prefix(sizeof header);
        if (header.length > left.size()) break;
        // full if the options have changed since; what does not fit now is lost, and counted
        if (!ring.push(message_of(header, left.substr(0, header.length)))) ++state.counts.dropped_lines;
        state.next_sequence = std::max(state.next_sequence.load(), header.sequence + 1);
        left.remove_prefix(header.length);
    }
    ring.commit();
    state.rest_end = state.ring.head;  // the file stays until all of it was sent
    if (state.rest_end == 0) ::unlink(rest_path(place.directory).c_str());
}

}  // namespace nodeagent::runtime::logs
