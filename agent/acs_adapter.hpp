#pragma once
// Where ACS and the engine meet: the conversation's wishes become engine calls and store writes.

#include <functional>
#include <vector>

#include "agent/base/scope.hpp"
#include "agent/ecs/acs_handler.hpp"
#include "agent/engine/state_store.hpp"

namespace nodeagent {

namespace engine {
class TaskEngine;
struct StateSink;
}  // namespace engine

class AcsAdapter final : public ecs::AcsHandler {
  public:
    struct Parts {
        engine::TaskEngine& engine;
        engine::StateStore& store;
        engine::StateSink& reports;
        const credentials::Registry& registry;
        Scope& scope;                        ///< for what ACS need not wait for
        std::function<void()> on_heartbeat;  ///< must return at once
    };
    /// Everything in `parts` outlives the adapter.
    explicit AcsAdapter(Parts parts);

    asio::awaitable<std::vector<model::Acceptance>> accept(
        std::vector<std::shared_ptr<const model::Task>> tasks) override;
    void report_invalid(std::string task_arn, std::string reason) override;
    bool use_credentials(const std::string& task_arn, credentials::RoleType role,
                         const std::string& credentials_id) override;
    [[nodiscard]] std::vector<ecs::LocalTask> tasks() const override;
    asio::awaitable<void> stop(std::string task_arn) override;
    asio::awaitable<Result<void>> save_sequence_number(std::int64_t number) override;
    asio::awaitable<Result<void>> save_attachment(ecs::Attachment attachment) override;
    asio::awaitable<void> erase_attachment(std::string key) override;
    void heartbeat() override;

  private:
    asio::awaitable<void> refresh(std::string task_arn, bool execution_role, model::RoleCredentials role);

    Parts parts_;
};

struct SavedAttachments {
    std::vector<ecs::Attachment> attachments;
    std::vector<std::string> damaged;  ///< keys on the metadata shelf, to be set aside
};

/// What save_attachment() left in the store's metadata shelf.
[[nodiscard]] SavedAttachments saved_attachments(const engine::StoredState& stored);

}  // namespace nodeagent
