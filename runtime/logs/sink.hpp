#pragma once
// Where lines end up. The sender's.

#include <memory>

#include "runtime/logs/config.hpp"
#include "runtime/logs/pair.hpp"
#include "runtime/logs/queue.hpp"
#include "runtime/logs/status.hpp"

namespace nodeagent::runtime::logs {

class Sink {
  public:
    virtual ~Sink() = default;
    /// Takes the line; it may go later, at once with others.
    virtual void add(const Message& line) = 0;
    /// All that was added goes now. `last`: no more lines will come.
    virtual void flush(bool last) = 0;
    /// Something waits for a flush.
    [[nodiscard]] virtual bool waiting() const = 0;
    /// Lines of those added that a flush does not send, because more of their event may come: the newest ones.
    [[nodiscard]] virtual std::size_t lines_held() const { return 0; }
    /// How long lines may wait.
    [[nodiscard]] virtual std::chrono::milliseconds interval() const = 0;
    /// In a child that was forked while the sink was in use.
    virtual void forget() {}
};

/// What a sink works with. `sent` is called when all lines added before the line in work are with their receiver.
struct SinkTools {
    Pair& pair;
    SharedState& state;
    StatusFile& status;
    std::function<void()> sent;
};

/// Malformed or Unavailable names what keeps the driver from working.
[[nodiscard]] Result<std::unique_ptr<Sink>> make_awslogs(const LoggerConfig& config, SinkTools tools);
[[nodiscard]] Result<std::unique_ptr<Sink>> make_json_file(const LoggerConfig& config, SinkTools tools);
[[nodiscard]] Result<std::unique_ptr<Sink>> make_journald(const LoggerConfig& config, SinkTools tools);

}  // namespace nodeagent::runtime::logs
