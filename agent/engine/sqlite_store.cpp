#include "agent/engine/sqlite_store.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/log.hpp"
#include "agent/base/time_format.hpp"
#include "agent/engine/one_shot.hpp"
#include "agent/engine/sqlite_database.hpp"

namespace nodeagent::engine {

struct SqliteStore::Waiting {
    std::vector<StoreChange> changes;
    std::shared_ptr<OneShot<Result<void>>> done;
};

namespace {

constexpr const char* kFile = "/ecs-node-agent.db";
/// A database that is to take the place of a damaged one. Complete once that one's name is free.
constexpr const char* kNew = ".new";

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
    if (std::rename(path.c_str(), target.c_str()) != 0) {
        if (errno == ENOENT) return std::string("nothing: somebody has removed it");
        return from_errno("move " + path + " aside");
    }
    for (const char* suffix : {"-wal", "-shm"}) {
        (void)std::rename((path + suffix).c_str(), (target + suffix).c_str());
    }
    return target;
}

void remove_database(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm"}) (void)std::remove((path + suffix).c_str());
}

/// Gives the new database its name, if the damaged one's is free. What is left of that one's log is not the new one's.
Result<void> take_free_place(const std::string& path) {
    std::error_code unknown;
    if (std::filesystem::exists(path, unknown) || !std::filesystem::exists(path + kNew, unknown)) return {};
    remove_database(path);
    if (std::rename((path + kNew).c_str(), path.c_str()) != 0) return from_errno("put the new database at " + path);
    return {};
}

Result<Opened> open_or_replace(const std::string& directory, const std::string& path) {
    if (auto made = make_directories(directory, 0755); !made) return std::move(made).error();
    if (auto placed = take_free_place(path); !placed) return std::move(placed).error();
    auto opened = open_and_load(path);
    if (opened) remove_database(path + kNew);  // half made, when the last agent was killed
    if (opened || opened.error().kind != ErrorKind::Malformed) return opened;
    const std::string why = opened.error().what;
    auto moved = move_aside(path);
    if (!moved) return std::move(moved).error();
    // a new one that was complete already; a half made one is empty, because it is written in one transaction
    if (auto placed = take_free_place(path); !placed) return std::move(placed).error();
    auto fresh = open_and_load(path);
    if (fresh) fresh->state.damaged.push_back("database: " + why + "; kept as " + *moved);
    return fresh;
}

/// A new database beside the damaged one that holds `changes`, closed: all of it is in the one file.
Result<void> make_new(const std::string& path, const std::vector<StoreChange>& changes) {
    if (auto placed = take_free_place(path); !placed) return placed;  // left by a failed attempt; it must not be lost
    remove_database(path + kNew);
    {
        auto fresh = SqliteDatabase::open(path + kNew);
        if (!fresh) return std::move(fresh).error();
        if (auto written = (*fresh)->apply(changes); !written) return written;
    }
    std::error_code unknown;
    if (std::filesystem::exists(path + kNew + "-wal", unknown)) {  // closing it takes that into the file
        return Error{.kind = ErrorKind::Unavailable, .what = path + kNew + " cannot be completed: the disk refuses"};
    }
    return {};
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
    auto work = [directory = directory_] { return open_or_replace(directory, directory + kFile); };
    Result<Opened> opened = co_await thread_.run(std::move(work));
    if (!opened) co_return with_context("open the state store", std::move(opened).error());
    database_ = std::move(opened->database);
    metadata_ = opened->state.metadata;
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

void SqliteStore::remember(const std::vector<StoreChange>& changes) {
    for (const StoreChange& change : changes) {
        if (change.shelf != Shelf::Metadata) continue;
        if (change.text) {
            metadata_.insert_or_assign(change.key, *change.text);
        } else {
            metadata_.erase(change.key);
        }
    }
}

asio::awaitable<void> SqliteStore::write_waiting() {
    while (!waiting_.empty()) {
        std::vector<Waiting> batch = std::exchange(waiting_, {});
        const auto changes = std::make_shared<std::vector<StoreChange>>();
        for (Waiting& one : batch) {
            for (StoreChange& change : one.changes) changes->push_back(std::move(change));
        }
        Result<void> outcome;
        if (!damage_) {
            auto work = [database = database_, changes]() -> Result<void> {
                if (!database) return Error{.kind = ErrorKind::Internal, .what = "the state store has not been opened"};
                return database->apply(*changes);
            };
            outcome = co_await thread_.run(std::move(work));
            if (!outcome && outcome.error().kind == ErrorKind::Malformed) damage_ = outcome.error();
        }
        if (damage_) outcome = co_await write_anew(changes);
        if (outcome) remember(*changes);
        ++transactions_;
        for (const Waiting& one : batch) one.done->give(outcome);
    }
    writing_ = false;
}

asio::awaitable<Result<void>> SqliteStore::write_anew(std::shared_ptr<const std::vector<StoreChange>> changes) {
    constexpr std::chrono::hours kKeepOneEach(1);
    const auto now = std::chrono::steady_clock::now();
    // a disk that damages every database must not fill with them; what the last ones held is in memory
    const bool keep = !written_anew_ || now - *written_anew_ >= kKeepOneEach;
    const std::string path = directory_ + kFile;
    std::vector<StoreChange> all;
    for (const auto& [key, text] : metadata_) all.push_back({.shelf = Shelf::Metadata, .key = key, .text = text});
    if (everything_) {
        for (StoreChange& change : everything_()) all.push_back(std::move(change));
    }
    all.insert(all.end(), changes->begin(), changes->end());
    auto make = [path, all = std::move(all)] { return make_new(path, all); };
    const Result<void> made = co_await thread_.run(std::move(make));
    if (!made) co_return with_context("write the state anew", made.error());

    const bool again = !kept_as_.empty();  // the damaged one has gone already
    auto set_aside = [broken = std::exchange(database_, nullptr), path, keep, again]() mutable -> Result<std::string> {
        broken.reset();  // closed before its name is taken from it
        if (keep && !again) return move_aside(path);
        remove_database(path);
        return std::string("nothing: it was made less than an hour ago");
    };
    Result<std::string> moved = co_await thread_.run(std::move(set_aside));
    if (!moved) co_return with_context(damage_->what, std::move(moved).error());
    if (!again) kept_as_ = *std::move(moved);
    auto open = [path]() -> Result<std::shared_ptr<SqliteDatabase>> {
        if (auto placed = take_free_place(path); !placed) return std::move(placed).error();
        auto database = SqliteDatabase::open(path);
        if (!database) return std::move(database).error();
        return std::shared_ptr<SqliteDatabase>(*std::move(database));
    };
    Result<std::shared_ptr<SqliteDatabase>> fresh = co_await thread_.run(std::move(open));
    if (!fresh) co_return with_context("write the state anew", std::move(fresh).error());
    database_ = *std::move(fresh);
    log::error("the saved state was found damaged; it was written anew from memory, nothing is lost",
               {{"cause", damage_->what}, {"kept", kept_as_}, {"remedy", "check the disk of " + directory_}});
    damage_.reset();
    kept_as_.clear();
    written_anew_ = now;
    co_return Result<void>{};
}

asio::awaitable<Result<void>> SqliteStore::set_aside(Shelf shelf, std::string key, std::string why) {
    auto work = [database = database_, shelf, key, why = std::move(why)]() -> Result<void> {
        if (!database) return Error{.kind = ErrorKind::Internal, .what = "the state store is not open"};
        return database->set_aside(shelf, key, why);
    };
    Result<void> done = co_await thread_.run(std::move(work));
    if (done && shelf == Shelf::Metadata) metadata_.erase(key);
    co_return done;
}

}  // namespace nodeagent::engine
