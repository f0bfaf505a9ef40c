#pragma once
// What the ACS conversation asks of the rest of the agent. The protocol's rules (validation, sequence numbers, what is
// acknowledged when) are in acs_conversation; an implementation only carries out. Called on the session's shard, one
// call at a time, in the order in which messages arrived.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/base/error.hpp"
#include "agent/credentials/registry.hpp"
#include "agent/ecs/attachment_book.hpp"
#include "agent/model/payload.hpp"
#include "agent/model/status.hpp"

namespace nodeagent::ecs {

namespace asio = boost::asio;

struct LocalTask {
    std::string arn;
    model::TaskStatus desired = model::TaskStatus::None;
};

class AcsHandler {
  public:
    virtual ~AcsHandler() = default;

    /// The tasks of a payload, none null, in the order in which they are to be taken: new ones are taken over and all
    /// saved together before this returns; of a known one a higher desired status and new credentials ids count. Their
    /// role credentials are in the registry already. One answer for each; what cannot run has been reported.
    virtual asio::awaitable<std::vector<model::Acceptance>> accept(
        std::vector<std::shared_ptr<const model::Task>> tasks) = 0;

    /// Queues a STOPPED task state change with this reason, for a task that could not be taken over.
    virtual void report_invalid(std::string task_arn, std::string reason) = 0;

    /// New credentials of a task's role were stored under this id; the task is to use it. False: no such task.
    virtual bool use_credentials(const std::string& task_arn, credentials::RoleType role,
                                 const std::string& credentials_id) = 0;

    /// Every task the agent holds, with what ECS wants of it.
    [[nodiscard]] virtual std::vector<LocalTask> tasks() const = 0;

    /// Desired status STOPPED, saved. An unknown task is ignored.
    virtual asio::awaitable<void> stop(std::string task_arn) = 0;

    /// Makes the manifest sequence number durable (metadata key task-manifest-seq-num).
    virtual asio::awaitable<Result<void>> save_sequence_number(std::int64_t number) = 0;

    /// A network interface or volume that ECS attaches to this instance was announced; keep it across restarts.
    virtual asio::awaitable<Result<void>> save_attachment(Attachment attachment) = 0;
    /// It did not show up in time, or is done with: forget it.
    virtual asio::awaitable<void> erase_attachment(std::string key) = 0;

    /// ECS looked at this instance: run the instance health checks, without waiting for them.
    virtual void heartbeat() = 0;
};

}  // namespace nodeagent::ecs
