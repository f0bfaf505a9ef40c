#include "agent/engine/sqlite_store.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/time_format.hpp"
#include "agent/engine/one_shot.hpp"
#include "agent/engine/sqlite_database.hpp"

namespace nodeagent::engine {

struct SqliteStore::Waiting {
    std::vector<StoreChange> changes;
    std::shared_ptr<OneShot<Result<void>>> done;
};

namespace {

struct Opened {
    std::shared_ptr<SqliteDatabase> database;
    StoredState state;
};

Result<Opened> open_and_load(const std::string& path) {
    auto database = SqliteDatabase::open(path);
    if (!database) return std::move(database).error();
    auto state = (*database)->load();
    if (!state) return std::move(state).error();
    return Opened{*std::move(database), *std::move(state)};
}

/// The log and index files belong to the database and must go with it.
Result<std::string> move_aside(const std::string& path) {
    const std::string target = path + ".damaged-" + iso8601_basic(std::chrono::system_clock::now());
    if (std::rename(path.c_str(), target.c_str()) != 0) return from_errno("move " + path + " aside");
    for (const char* suffix : {"-wal", "-shm"}) {
        (void)std::rename((path + suffix).c_str(), (target + suffix).c_str());
    }
    return target;
}

Result<Opened> open_or_replace(const std::string& directory, const std::string& path) {
    if (auto made = make_directories(directory, 0755); !made) return std::move(made).error();
    auto opened = open_and_load(path);
    if (opened || opened.error().kind != ErrorKind::Malformed) return opened;
    const std::string why = opened.error().what;
    auto moved = move_aside(path);
    if (!moved) return std::move(moved).error();
    auto fresh = open_and_load(path);
    if (fresh) fresh->state.damaged.push_back("database: " + why + "; kept as " + *moved);
    return fresh;
}

}  // namespace

SqliteStore::SqliteStore(asio::any_io_executor shard, std::string data_dir)
    : shard_(shard), directory_(std::move(data_dir)), writers_(shard) {
    while (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();
}

SqliteStore::~SqliteStore() = default;

asio::awaitable<Result<StoredState>> SqliteStore::load() {
    if (database_) {
        auto again = [database = database_] { return database->load(); };
        co_return co_await thread_.run(std::move(again));
    }
    auto work = [directory = directory_] { return open_or_replace(directory, directory + "/ecs-node-agent.db"); };
    Result<Opened> opened = co_await thread_.run(std::move(work));
    if (!opened) co_return with_context("open the state store", std::move(opened).error());
    database_ = std::move(opened->database);
    co_return std::move(opened->state);
}

asio::awaitable<Result<void>> SqliteStore::commit(std::vector<StoreChange> changes) {
    auto done = std::make_shared<OneShot<Result<void>>>(shard_);
    waiting_.push_back(Waiting{std::move(changes), done});
    if (!writing_) {
        writing_ = true;
        writers_.spawn(write_waiting());
    }
    co_return co_await OneShot<Result<void>>::wait(std::move(done));
}

asio::awaitable<void> SqliteStore::write_waiting() {
    while (!waiting_.empty()) {
        std::vector<Waiting> batch = std::exchange(waiting_, {});
        std::vector<StoreChange> changes;
        for (Waiting& one : batch) {
            for (StoreChange& change : one.changes) changes.push_back(std::move(change));
        }
        auto work = [database = database_, changes = std::move(changes)]() -> Result<void> {
            if (!database) return Error{.kind = ErrorKind::Internal, .what = "the state store has not been opened"};
            return database->apply(changes);
        };
        const Result<void> outcome = co_await thread_.run(std::move(work));
        ++transactions_;
        for (const Waiting& one : batch) one.done->give(outcome);
    }
    writing_ = false;
}

asio::awaitable<Result<void>> SqliteStore::set_aside(Shelf shelf, std::string key, std::string why) {
    auto work = [database = database_, shelf, key = std::move(key), why = std::move(why)] {
        return database->set_aside(shelf, key, why);
    };
    co_return co_await thread_.run(std::move(work));
}

}  // namespace nodeagent::engine
