#pragma once
// The log groups and streams CloudWatch Logs answers for. In memory, not kept over a restart, and bounded: when the
// events of all streams come to more than there is room for, the oldest ones of the longest stream go.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace nodeagent::local {

struct LogEvent {
    std::int64_t timestamp = 0;  ///< ms since the epoch
    std::int64_t ingested = 0;
    std::uint64_t number = 0;  ///< of all events of the stream, from 1, in the order they came
    std::string message;
};

struct LogStream {
    std::int64_t created = 0;
    std::int64_t last_ingestion = 0;
    std::uint64_t next_number = 1;
    std::size_t bytes = 0;
    /// By timestamp; those of one millisecond as they came.
    std::deque<LogEvent> events;
};

struct LogGroup {
    std::int64_t created = 0;
    std::map<std::string, LogStream> streams;
};

struct LogLimits {
    std::size_t groups = 1'000;
    std::size_t streams = 10'000;     ///< of all groups
    std::size_t bytes = 128U << 20U;  ///< of all events, 64 counted for each besides its text
};

class LogStore {
  public:
    explicit LogStore(LogLimits limits = {}) : limits_(limits) {}

    [[nodiscard]] std::map<std::string, LogGroup>& groups() { return groups_; }
    [[nodiscard]] const std::map<std::string, LogGroup>& groups() const { return groups_; }
    [[nodiscard]] LogGroup* group(const std::string& name);
    [[nodiscard]] LogStream* stream(const std::string& group, const std::string& name);
    /// False if there are as many as there may be.
    bool add_group(const std::string& name, std::int64_t now);
    bool add_stream(LogGroup& group, const std::string& name, std::int64_t now);
    void remove_group(const std::string& name);
    struct Text {
        std::int64_t timestamp = 0;
        std::string message;
    };
    /// `texts` are in the order of time.
    void add(LogStream& stream, std::vector<Text> texts, std::int64_t now);

    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] std::size_t streams() const { return streams_; }
    [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }
    [[nodiscard]] const LogLimits& limits() const { return limits_; }

    /// For tests of what ships logs: the next so many calls are answered with this error, or none until it is "".
    struct Fault {
        std::string code;
        unsigned status = 400;
        std::int64_t calls = 0;  ///< how many more; below 0: until told otherwise
    };
    Fault fault;
    std::uint64_t puts = 0;  ///< PutLogEvents that were taken

  private:
    void make_room();
    LogLimits limits_;
    std::map<std::string, LogGroup> groups_;
    std::size_t bytes_ = 0;
    std::size_t streams_ = 0;
    std::uint64_t forgotten_ = 0;
};

}  // namespace nodeagent::local
