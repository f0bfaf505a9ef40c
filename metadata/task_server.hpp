#pragma once
// The task server on 127.0.0.1:51679: credentials, metadata v2 to v4, stats, associations, task protection, behind a
// rate limit per source and path. endpoints.md 1 to 4, 8. Lives on a shard of its own; reads boards that others
// publish.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "metadata/listener.hpp"
#include "metadata/task_protection.hpp"

namespace nodeagent::model {
class SnapshotBoard;
}
namespace nodeagent::credentials {
class Registry;
}

namespace nodeagent::metadata {

class IdentityBoard;
class StatsSource;

/// ListTagsForResource of `arn`; `container_name` goes into the User-Agent of v4 requests, empty for v2 and v3. An
/// error's text is shown to the container as it is ("GetResourceTags failed for ...").
using TagsSource = std::function<asio::awaitable<Result<std::map<std::string, std::string>>>(
    std::string arn, std::string container_name)>;
/// A finished audit line without newline. Called on the server's shard, must not block.
using AuditSink = std::function<void(std::string line)>;

/// References and pointers must outlive the server. All are called or read on the server's shard.
struct TaskServerSources {
    const model::SnapshotBoard& snapshots;
    const credentials::Registry& credentials;
    const IdentityBoard& identity;
    const StatsSource* stats = nullptr;  ///< null: no container has had a sample yet
    TagsSource tags;                     ///< empty: the tag routes answer without tags
    ProtectionApi protection;            ///< empty: task protection answers that it cannot be reached
    AuditSink audit;                     ///< empty: no audit log
};

struct TaskServerOptions {
    ListenerOptions listener{.addresses = {"127.0.0.1"}, .port = 51679};
    int steady_rate = 40;  ///< requests per second, per source address and path
    int burst = 60;
};

class TaskServer {
  public:
    TaskServer(asio::any_io_executor shard, Clock& clock, TaskServerSources sources, TaskServerOptions options = {});
    ~TaskServer();
    TaskServer(const TaskServer&) = delete;
    TaskServer& operator=(const TaskServer&) = delete;

    /// On the shard. Binds, retrying for ever; requests are served until stop().
    void start();
    /// On the shard. Closes the listener and every connection; returns when nothing runs any more.
    asio::awaitable<void> stop();
    /// 0 while not bound.
    [[nodiscard]] std::uint16_t port() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nodeagent::metadata
