#pragma once
// What a container printed, as lines, wherever they are kept.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"

namespace nodeagent::cli {

inline constexpr std::size_t kLinesAtOnce = 1000;       ///< of one read
inline constexpr std::size_t kLongestLine = 1U << 20U;  ///< bytes; a longer one is shown in parts

namespace asio = boost::asio;

enum class PrintedTo : std::uint8_t { Stdout, Stderr, Unknown };

struct LogLine {
    std::int64_t time = 0;  ///< ns since the epoch
    PrintedTo stream = PrintedTo::Stdout;
    std::string text;  ///< without its newline; may hold others, where the driver puts lines together
};

/// What part of a log is asked for.
struct LogWindow {
    std::int64_t since = 0;             ///< ns since the epoch: lines before it do not count
    std::optional<std::size_t> tail{};  ///< so many of the last lines
};

enum class Reading : bool {
    History,  ///< what is there: no lines means that there are no more
    Live      ///< also what comes: may wait for it; no lines means that the source has none at the moment
};

/// Lives on one shard. History is read to its end before anything live.
class LogSource {
  public:
    virtual ~LogSource() = default;
    /// Some lines beyond those given before, in the order they came. NotFound: no log is there yet; Denied: asking
    /// again will not help. After an error it may be called again.
    virtual asio::awaitable<Result<std::vector<LogLine>>> read(Reading reading) = 0;
    /// The begin of lines whose end did not come, once nothing more will be read.
    virtual std::vector<LogLine> rest() { return {}; }
    /// How long to leave it alone while it has nothing.
    [[nodiscard]] virtual std::chrono::milliseconds pace() const { return std::chrono::milliseconds(200); }
    /// How long after the end of its container a line may still come.
    [[nodiscard]] virtual std::chrono::milliseconds settles_in() const { return std::chrono::milliseconds(1000); }
    /// Something people should know, once: lines that could not be read; "" when nothing.
    virtual std::string remark() { return {}; }
};

}  // namespace nodeagent::cli
