#include "agent/local/logs/log_store.hpp"

#include <algorithm>
#include <utility>

namespace nodeagent::local {
namespace {

constexpr std::size_t kEventBytes = 64;

std::size_t size_of(const LogEvent& event) { return event.message.size() + kEventBytes; }

}  // namespace

LogGroup* LogStore::group(const std::string& name) {
    const auto found = groups_.find(name);
    return found == groups_.end() ? nullptr : &found->second;
}

LogStream* LogStore::stream(const std::string& group_name, const std::string& name) {
    LogGroup* found = group(group_name);
    if (found == nullptr) return nullptr;
    const auto stream = found->streams.find(name);
    return stream == found->streams.end() ? nullptr : &stream->second;
}

bool LogStore::add_group(const std::string& name, std::int64_t now) {
    if (groups_.size() >= limits_.groups) return false;
    groups_[name].created = now;
    return true;
}

bool LogStore::add_stream(LogGroup& group, const std::string& name, std::int64_t now) {
    if (streams_ >= limits_.streams) return false;
    group.streams[name].created = now;
    ++streams_;
    return true;
}

void LogStore::remove_group(const std::string& name) {
    const auto found = groups_.find(name);
    if (found == groups_.end()) return;
    for (const auto& [stream_name, stream] : found->second.streams) bytes_ -= stream.bytes;
    streams_ -= found->second.streams.size();
    groups_.erase(found);
}

void LogStore::add(LogStream& stream, std::vector<Text> texts, std::int64_t now) {
    const auto before = static_cast<std::ptrdiff_t>(stream.events.size());
    for (Text& text : texts) {
        stream.events.push_back({.timestamp = text.timestamp,
                                 .ingested = now,
                                 .number = stream.next_number++,
                                 .message = std::move(text.message)});
        const std::size_t bytes = size_of(stream.events.back());
        stream.bytes += bytes;
        bytes_ += bytes;
        stream.last_ingestion = now;
    }
    std::inplace_merge(stream.events.begin(), stream.events.begin() + before, stream.events.end(),
                       [](const LogEvent& a, const LogEvent& b) { return a.timestamp < b.timestamp; });
    if (bytes_ > limits_.bytes) make_room();
}

// A sixteenth at once, so that a full store does not look for the longest stream with every event.
void LogStore::make_room() {
    const std::size_t goal = limits_.bytes - limits_.bytes / 16;
    while (bytes_ > goal) {
        LogStream* longest = nullptr;
        for (auto& [name, group] : groups_) {
            for (auto& [stream_name, stream] : group.streams) {
                if (longest == nullptr || stream.bytes > longest->bytes) longest = &stream;
            }
        }
        if (longest == nullptr || longest->events.empty()) return;
        const std::size_t half = longest->bytes / 2;
        while (bytes_ > goal && longest->bytes > half && !longest->events.empty()) {
            const std::size_t bytes = size_of(longest->events.front());
            longest->events.pop_front();
            longest->bytes -= bytes;
            bytes_ -= bytes;
            ++forgotten_;
        }
    }
}

}  // namespace nodeagent::local
