#include "agent/cli/logs/reading.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

namespace nodeagent::cli {

namespace {

using namespace std::chrono_literals;

struct Ahead {
    LogFeed* feed = nullptr;
    std::deque<LogLine> lines;
    bool over = false;
};

}  // namespace

asio::awaitable<void> read_history(std::vector<LogFeed*> feeds, EmitLine emit, FeedFailed failed, bool last) {
    std::vector<Ahead> all;
    for (LogFeed* feed : feeds) {
        if (feed->source) all.push_back({.feed = feed, .lines = {}, .over = false});
    }
    for (;;) {
        Ahead* oldest = nullptr;
        for (Ahead& one : all) {
            if (one.lines.empty() && !one.over) {
                auto read = co_await one.feed->source->read(Reading::History);
                if (!read) failed(*one.feed, read.error());
                one.over = !read || read->empty();
                if (read)
                    one.lines.assign(std::make_move_iterator(read->begin()), std::make_move_iterator(read->end()));
                if (one.over && last) {
                    auto rest = one.feed->source->rest();
                    one.lines.assign(std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
                }
            }
            if (one.lines.empty()) continue;
            if (oldest == nullptr || one.lines.front().time < oldest->lines.front().time) oldest = &one;
        }
        if (oldest == nullptr) break;
        emit(*oldest->feed, oldest->lines.front());
        oldest->lines.pop_front();
    }
}

void LiveLines::add(const LogFeed& feed, std::vector<LogLine> lines) {
    for (LogLine& line : lines) lines_.emplace_back(&feed, std::move(line));
}

void LiveLines::flush(const EmitLine& emit) {
    std::stable_sort(lines_.begin(), lines_.end(),
                     [](const auto& a, const auto& b) { return a.second.time < b.second.time; });
    for (const auto& [feed, line] : lines_) emit(*feed, line);
    lines_.clear();
}

asio::awaitable<Result<void>> follow_feed(LogFeed& feed, FollowTools tools) {
    std::optional<SteadyTime> quiet_since;
    std::string told;
    for (;;) {
        if (!feed.source) {
            auto opened = tools.open(feed);
            if (!opened) co_return opened;
        }
        const bool ended = tools.has_ended(feed);
        if (!feed.source) {
            if (ended) co_return Result<void>();
            co_await tools.clock.sleep_for(200ms);
            continue;
        }
        auto lines = co_await feed.source->read(Reading::Live);
        if (const std::string remark = feed.source->remark(); !remark.empty()) tools.remark(feed, remark);
        if (lines && !lines->empty()) {
            tools.live.add(feed, *std::move(lines));
            quiet_since.reset();
            told.clear();
            continue;
        }
        if (!lines) {
            if (lines.error().kind == ErrorKind::Denied) co_return std::move(lines).error();
            if (lines.error().what != std::exchange(told, lines.error().what) && !ended) tools.remark(feed, told);
        }
        // a line may come a little after the end
        const SteadyTime now = tools.clock.now().steady;
        if (!ended) quiet_since.reset();
        if (ended && !quiet_since) quiet_since = now;
        if (ended && now - *quiet_since >= feed.source->settles_in()) {
            if (!lines) co_return std::move(lines).error();
            tools.live.add(feed, feed.source->rest());
            co_return Result<void>();
        }
        co_await tools.clock.sleep_for(lines ? feed.source->pace() : std::max(feed.source->pace(), 1000ms));
    }
}

}  // namespace nodeagent::cli
