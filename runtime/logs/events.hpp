#pragma once
// Lines -> events -> requests, as docker's awslogs driver makes them. Pure.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/logs/message.hpp"
#include "runtime/logs/pattern.hpp"

namespace nodeagent::runtime::logs {

inline constexpr std::size_t kBatchBytes = 1'048'576;
inline constexpr std::size_t kBatchEvents = 10'000;
inline constexpr std::size_t kEventOverhead = 26;
/// Of a request, oldest to newest event: the service's limit is 24 hours.
inline constexpr std::int64_t kBatchSpan = 24LL * 3600 * 1000 - 1000;

class Batch {
  public:
    /// False if the batch has to go first.
    bool add(std::string_view text, std::size_t effective, std::int64_t milliseconds);
    [[nodiscard]] bool empty() const { return events_.empty(); }
    [[nodiscard]] std::size_t count() const { return events_.size(); }
    [[nodiscard]] std::size_t text_bytes() const { return texts_.size(); }
    /// The body of PutLogEvents; events by time, those of one millisecond in their order.
    [[nodiscard]] std::string request(std::string_view group, std::string_view stream, std::string_view token);
    void clear();

  private:
    struct Event {
        std::int64_t time;
        std::size_t offset;
        std::size_t length;
    };
    std::string texts_;
    std::vector<Event> events_;
    std::size_t bytes_ = 0;
    std::int64_t oldest_ = 0;
    std::int64_t newest_ = 0;
};

/// The multiline rules, and the split of what is too long.
class EventMaker {
  public:
    /// `pattern` may be nullptr. `publish` sends the batch and empties it.
    EventMaker(const Pattern* pattern, std::int64_t flush_milliseconds, Batch& batch, std::function<void()> publish)
        : pattern_(pattern), flush_(flush_milliseconds), batch_(batch), publish_(std::move(publish)) {}

    void add(const Message& line);
    /// The flush interval has gone by: an event that waits for more lines so long goes too. Publishing is the caller's.
    void tick(std::int64_t now_milliseconds);
    /// There will be no more lines.
    void end();
    /// Lines held back because more of their event may come.
    [[nodiscard]] std::size_t lines_held() const { return lines_held_; }

  private:
    void emit(std::string_view text, std::int64_t milliseconds);
    const Pattern* pattern_;
    std::int64_t flush_;
    Batch& batch_;
    std::function<void()> publish_;
    std::string held_;
    std::size_t held_effective_ = 0;
    std::int64_t held_time_ = 0;
    std::size_t lines_held_ = 0;
};

}  // namespace nodeagent::runtime::logs
