#pragma once
// The durable store: <data_dir>/ecs-node-agent.db. One thread of its own does the blocking work; commits that wait
// while one is being written share the next transaction (group commit), so that a hundred tasks cost a few fsyncs.
//
// A database that cannot be used is moved to <file>.damaged-<time> and a new one is made. At the start that loses the
// memory of tasks, which is repaired from their containers and by ECS. Found while it is in use, nothing is lost: the
// new one is written from what the agent knows, together with the commit that failed, as <file>.new, and takes the
// place of the damaged one when it is complete. A kill at any moment leaves one of them for the next start.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "agent/base/blocking_pool.hpp"
#include "agent/base/scope.hpp"
#include "agent/engine/state_store.hpp"

namespace nodeagent::engine {

class SqliteDatabase;

class SqliteStore final : public StateStore {
  public:
    SqliteStore(asio::any_io_executor shard, std::string data_dir);
    ~SqliteStore() override;

    /// Opens the file; call it first, again after an error. Conflict (held by another agent), Denied and Unavailable
    /// come back as errors: waiting may help. Damage and a newer agent's schema do not: the file is moved aside, which
    /// is listed in StoredState::damaged.
    asio::awaitable<Result<StoredState>> load() override;
    asio::awaitable<Result<void>> commit(std::vector<StoreChange> changes) override;
    asio::awaitable<Result<void>> set_aside(Shelf shelf, std::string key, std::string why) override;

    /// Where the texts of tasks, images and what is unsent are found again when the database is damaged while it is in
    /// use; metadata is remembered here. Called on the shard; the source outlives the store's last commit.
    void rewritten_from(std::function<std::vector<StoreChange>()> everything) { everything_ = std::move(everything); }

    /// Waits for everything that was committed. Before the shard ends.
    asio::awaitable<void> drain() { return writers_.drain(); }

    [[nodiscard]] std::uint64_t transactions() const { return transactions_; }

  private:
    struct Waiting;
    asio::awaitable<void> write_waiting();
    /// Instead of a commit that found the database damaged.
    asio::awaitable<Result<void>> write_anew(std::shared_ptr<const std::vector<StoreChange>> changes);
    void remember(const std::vector<StoreChange>& changes);

    asio::any_io_executor shard_;
    std::string directory_;
    std::shared_ptr<SqliteDatabase> database_;  ///< touched by the store thread only
    std::vector<Waiting> waiting_;
    bool writing_ = false;
    std::uint64_t transactions_ = 0;
    std::function<std::vector<StoreChange>()> everything_;
    std::map<std::string, std::string> metadata_;  ///< as it is in the database
    std::optional<Error> damage_;                  ///< the database must be written anew, because of this
    std::string kept_as_;                          ///< where the damaged one is by now; "": in its old place
    std::optional<std::chrono::steady_clock::time_point> written_anew_;
    Scope writers_;
    BlockingPool thread_{1};
};

}  // namespace nodeagent::engine
