#pragma once
// Reading the logs of several containers at once: what is there in the order of time, then what comes.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/cli/logs/source.hpp"

namespace nodeagent::cli {

struct LogFeed {
    std::string container;
    std::unique_ptr<LogSource> source;  ///< null: there is none yet
};

using EmitLine = std::function<void(const LogFeed& feed, const LogLine& line)>;
using FeedFailed = std::function<void(const LogFeed& feed, const Error& error)>;

/// All that is there, in the order of time; lines of one feed stay in theirs. A feed that fails is told once and left
/// out. `last`: nothing is read afterwards, so that the begins of lines count.
asio::awaitable<void> read_history(std::vector<LogFeed*> feeds, EmitLine emit, FeedFailed failed, bool last);

/// Lines that came live, held until the next flush() puts those of all feeds in the order of time.
class LiveLines {
  public:
    void add(const LogFeed& feed, std::vector<LogLine> lines);
    void flush(const EmitLine& emit);

  private:
    std::vector<std::pair<const LogFeed*, LogLine>> lines_;
};

/// What following has to know of its surroundings.
struct FollowTools {
    Clock& clock;
    LiveLines& live;
    /// Whether the feed's container has ended and will not begin again.
    std::function<bool(const LogFeed& feed)> has_ended;
    /// Makes the source once it can be made; an error ends the feed.
    std::function<Result<void>(LogFeed& feed)> open;
    /// Something that may get better: told when it changes.
    std::function<void(const LogFeed& feed, const std::string& what)> remark;
};

/// Until the feed's container has ended and all of it was read. The error is what kept it from being read.
asio::awaitable<Result<void>> follow_feed(LogFeed& feed, FollowTools tools);

}  // namespace nodeagent::cli
