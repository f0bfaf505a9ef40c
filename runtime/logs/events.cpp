#include "runtime/logs/events.hpp"

#include <algorithm>
#include <utility>

#include "runtime/logs/text.hpp"

namespace nodeagent::runtime::logs {
namespace {

constexpr std::size_t kKeepTexts = 64U << 10U;
constexpr std::size_t kKeepEvents = 1024;

}  // namespace

bool Batch::add(std::string_view text, std::size_t effective, std::int64_t milliseconds) {
    if (events_.size() >= kBatchEvents || bytes_ + effective + kEventOverhead > kBatchBytes) return false;
    const std::int64_t oldest = events_.empty() ? milliseconds : std::min(oldest_, milliseconds);
    const std::int64_t newest = events_.empty() ? milliseconds : std::max(newest_, milliseconds);
    if (newest - oldest > kBatchSpan) return false;
    oldest_ = oldest;
    newest_ = newest;
    events_.push_back({milliseconds, texts_.size(), text.size()});
    texts_ += text;
    bytes_ += effective + kEventOverhead;
    return true;
}

std::string Batch::request(std::string_view group, std::string_view stream, std::string_view token) {
    std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
    std::string out;
    out.reserve(texts_.size() + texts_.size() / 16 + events_.size() * 44 + 256);
    out += "{\"logEvents\":[";
    for (const Event& event : events_) {
        if (out.back() != '[') out += ',';
        out += "{\"message\":";
        append_json(out, std::string_view(texts_).substr(event.offset, event.length), false);
        out.append(",\"timestamp\":").append(std::to_string(event.time)).append("}");
    }
    out += "],\"logGroupName\":";
    append_json(out, group, false);
    out += ",\"logStreamName\":";
    append_json(out, stream, false);
    if (!token.empty()) {
        out += ",\"sequenceToken\":";
        append_json(out, token, false);
    }
    out += '}';
    return out;
}

void Batch::clear() {
    texts_.clear();
    events_.clear();
    if (texts_.capacity() > kKeepTexts) texts_.shrink_to_fit();
    if (events_.capacity() > kKeepEvents) events_.shrink_to_fit();
    bytes_ = 0;
}

void EventMaker::emit(std::string_view text, std::int64_t milliseconds) {
    while (!text.empty()) {
        const Piece piece = valid_begin(text, kMaxEvent);
        if (!batch_.add(text.substr(0, piece.bytes), piece.effective, milliseconds)) {
            publish_();
            continue;
        }
        text.remove_prefix(piece.bytes);
    }
}

void EventMaker::add(const Message& line) {
    const std::int64_t time = line.time / 1'000'000;
    if (pattern_ == nullptr) {
        emit(line.text, time);
        return;
    }
    if (held_time_ == 0) held_time_ = time;
    const std::size_t effective = effective_length(line.text);
    if (pattern_->matches(line.text) || held_effective_ + effective > kMaxEvent) {
        const std::string event = std::exchange(held_, {});
        emit(event, held_time_);
        held_time_ = time;
        held_effective_ = 0;
        lines_held_ = 0;
    }
    ++lines_held_;
    held_ += line.text;
    held_effective_ += effective;
    if (effective < kMaxEvent) {
        held_ += '\n';
        ++held_effective_;
    }
}

void EventMaker::tick(std::int64_t now_milliseconds) {
    if (held_.empty()) return;
    const std::int64_t age = now_milliseconds - held_time_;
    if (age >= 0 && age < flush_) return;
    emit(held_, held_time_);
    held_ = {};
    held_effective_ = 0;
    lines_held_ = 0;
}

void EventMaker::end() {
    emit(held_, held_time_);
    held_ = {};
    held_effective_ = 0;
    lines_held_ = 0;
}

}  // namespace nodeagent::runtime::logs
