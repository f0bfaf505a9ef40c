// What every StateStore must do, on the one in memory and the one on disk; then what only the one on disk can do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/engine/memory_store.hpp"
#include "agent/engine/sqlite_database.hpp"
#include "agent/engine/sqlite_store.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

template <class T>
T run(asio::io_context& io, asio::awaitable<T> work) {
    std::optional<T> result;
    asio::co_spawn(io, std::move(work), [&](const std::exception_ptr&, T value) { result = std::move(value); });
    io.restart();
    io.run();
    return *std::move(result);
}

struct Kind {
    const char* name;
    std::function<std::unique_ptr<StateStore>(asio::io_context&, const std::string&)> make;
};

class StoreContract : public testing::TestWithParam<Kind> {
  protected:
    StoreContract() : store(GetParam().make(io, directory.path())) { run(io, store->load()); }
    StoredState loaded() { return *run(io, store->load()); }

    fakes::TempDirectory directory;
    asio::io_context io;
    std::unique_ptr<StateStore> store;
};

TEST_P(StoreContract, IsEmptyAtFirst) {
    const StoredState state = loaded();
    EXPECT_THAT(state.tasks, IsEmpty());
    EXPECT_THAT(state.images, IsEmpty());
    EXPECT_THAT(state.metadata, IsEmpty());
    EXPECT_THAT(state.damaged, IsEmpty());
}

TEST_P(StoreContract, GivesBackWhatWasPutOnItsShelf) {
    EXPECT_TRUE(run(io, store->put(Shelf::Tasks, "arn", "task")));
    EXPECT_TRUE(run(io, store->put(Shelf::Images, "arn", "image")));
    EXPECT_TRUE(run(io, store->put(Shelf::Metadata, std::string(kClusterKey), "prod")));
    const StoredState state = loaded();
    EXPECT_THAT(state.tasks, ElementsAre(Pair("arn", "task")));
    EXPECT_THAT(state.images, ElementsAre(Pair("arn", "image")));
    EXPECT_EQ(state.metadata_value(kClusterKey), "prod");
    EXPECT_EQ(state.metadata_value(kAgentVersionKey), "");
}

TEST_P(StoreContract, TheLastTextOfAKeyCounts) {
    run(io, store->put(Shelf::Tasks, "arn", "first"));
    run(io, store->put(Shelf::Tasks, "arn", "second"));
    EXPECT_THAT(loaded().tasks, ElementsAre(Pair("arn", "second")));
}

TEST_P(StoreContract, TextsMayHoldAnyCharacter) {
    using namespace std::string_literals;
    const std::string odd = "quote ' nul \0 umlaut \xc3\xbc newline \n"s;
    run(io, store->put(Shelf::Tasks, "a'; DROP TABLE record;--", odd));
    EXPECT_THAT(loaded().tasks, ElementsAre(Pair("a'; DROP TABLE record;--", odd)));
}

TEST_P(StoreContract, AnErasedKeyIsGoneAndErasingItAgainIsFine) {
    run(io, store->put(Shelf::Tasks, "arn", "task"));
    EXPECT_TRUE(run(io, store->erase(Shelf::Tasks, "arn")));
    EXPECT_TRUE(run(io, store->erase(Shelf::Tasks, "arn")));
    EXPECT_THAT(loaded().tasks, IsEmpty());
}

TEST_P(StoreContract, ChangesOfOneCommitApplyInOrder) {
    std::vector<StoreChange> changes;
    changes.push_back({Shelf::Tasks, "a", "1"});
    changes.push_back({Shelf::Tasks, "a", std::nullopt});
    changes.push_back({Shelf::Tasks, "b", "2"});
    EXPECT_TRUE(run(io, store->commit(std::move(changes))));
    EXPECT_THAT(loaded().tasks, ElementsAre(Pair("b", "2")));
}

TEST_P(StoreContract, ARecordSetAsideIsNotLoadedAgain) {
    run(io, store->put(Shelf::Tasks, "bad", "{"));
    run(io, store->put(Shelf::Tasks, "good", "{}"));
    EXPECT_TRUE(run(io, store->set_aside(Shelf::Tasks, "bad", "unexpected end")));
    EXPECT_THAT(loaded().tasks, ElementsAre(Pair("good", "{}")));
}

TEST_P(StoreContract, ForgetsEverythingInOneCommit) {
    run(io, store->put(Shelf::Tasks, "arn", "task"));
    run(io, store->put(Shelf::Metadata, "k", "v"));
    run(io, store->put(Shelf::Unsent, "other", "why"));
    EXPECT_THAT(loaded().unsent, ElementsAre(Pair("other", "why")));
    EXPECT_TRUE(run(io, store->commit(loaded().forget_all())));
    const StoredState state = loaded();
    EXPECT_THAT(state.tasks, IsEmpty());
    EXPECT_THAT(state.unsent, IsEmpty());
    EXPECT_THAT(state.metadata, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract,
                         testing::Values(Kind{"Memory",
                                              [](asio::io_context&, const std::string&) {
                                                  return std::make_unique<MemoryStore>();
                                              }},
                                         Kind{"Sqlite",
                                              [](asio::io_context& io, const std::string& path) {
                                                  return std::make_unique<SqliteStore>(io.get_executor(), path);
                                              }}),
                         [](const auto& kind) { return std::string(kind.param.name); });

class SqliteStoreTest : public testing::Test {
  protected:
    [[nodiscard]] std::string file() const { return directory + "/data/ecs-node-agent.db"; }
    [[nodiscard]] std::unique_ptr<SqliteStore> open() {
        return std::make_unique<SqliteStore>(io.get_executor(), directory + "/data/");
    }

    void write_one_task() {
        const auto store = open();
        run(io, store->load());
        run(io, store->put(Shelf::Tasks, "arn", "task"));
    }
    /// More than SQLite keeps in memory; a commit of it reads and writes every page.
    static std::vector<StoreChange> much(std::optional<std::string> text) {
        std::vector<StoreChange> changes;
        for (int i = 0; i < 300; ++i) changes.push_back({Shelf::Images, "image" + std::to_string(i), text});
        return changes;
    }
    /// What notices that the database is damaged.
    static std::vector<StoreChange> one_task() {
        std::vector<StoreChange> changes = much(std::nullopt);
        changes.push_back({Shelf::Tasks, "arn", "task"});
        return changes;
    }
    /// Of the open database.
    void damage() {
        for (const char* name : {"", "-wal"}) {
            const auto size = std::filesystem::file_size(file() + name);
            std::fstream raw(file() + name, std::ios::in | std::ios::out | std::ios::binary);
            raw << std::string(size, '\x5a');
        }
    }
    /// Runs statements on the file behind the store's back.
    void open_raw(const char* sql) {
        std::filesystem::create_directories(directory + "/data");
        sqlite3* handle = nullptr;
        ASSERT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
        sqlite3_close(handle);
    }

    fakes::TempDirectory directory;
    asio::io_context io;
};

TEST_F(SqliteStoreTest, RemembersAcrossAReopen) {
    auto store = open();
    run(io, store->load());
    run(io, store->put(Shelf::Tasks, "arn", "task"));
    store.reset();
    store = open();
    EXPECT_THAT(run(io, store->load())->tasks, ElementsAre(Pair("arn", "task")));
}

TEST_F(SqliteStoreTest, RemembersWhatWasCommittedWhenTheProcessIsKilled) {
    auto store = open();
    run(io, store->load());
    run(io, store->put(Shelf::Tasks, "arn", "task"));
    // what is on the disk at this moment, log included, is all that a killed process leaves
    std::filesystem::create_directory(directory + "/killed");
    std::filesystem::copy(directory + "/data", directory + "/killed");
    SqliteStore next(io.get_executor(), directory + "/killed");
    EXPECT_THAT(run(io, next.load())->tasks, ElementsAre(Pair("arn", "task")));
}

TEST_F(SqliteStoreTest, IsReadableByItsOwnerOnly) {
    auto store = open();
    run(io, store->load());
    run(io, store->put(Shelf::Tasks, "arn", "task"));
    for (const auto& entry : std::filesystem::directory_iterator(directory + "/data")) {
        struct stat status {};
        ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << entry.path();
    }
}

TEST_F(SqliteStoreTest, CommitsThatWaitTogetherShareATransaction) {
    auto store = open();
    run(io, store->load());
    int done = 0;
    for (int i = 0; i < 100; ++i) {
        asio::co_spawn(io, store->put(Shelf::Tasks, "arn" + std::to_string(i), "task"),
                       [&](const std::exception_ptr&, const Result<void>& result) { done += result ? 1 : 0; });
    }
    io.restart();
    io.run();
    EXPECT_EQ(done, 100);
    EXPECT_LE(store->transactions(), 10U);
    EXPECT_THAT(run(io, store->load())->tasks, SizeIs(100));
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsMovedAsideAndReported) {
    std::filesystem::create_directory(directory + "/data");
    std::ofstream(file()) << std::string(8192, 'x');
    auto store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_TRUE(state);
    ASSERT_THAT(state->damaged, SizeIs(1));
    EXPECT_THAT(state->damaged[0], HasSubstr(".damaged-"));
    EXPECT_TRUE(run(io, store->put(Shelf::Tasks, "arn", "task")));
    int kept = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory + "/data")) {
        kept += entry.path().string().find(".damaged-") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(kept, 1);
}

TEST_F(SqliteStoreTest, ADamagedPageIsNoticedAtTheStart) {
    auto store = open();
    run(io, store->load());
    for (int i = 0; i < 200; ++i) run(io, store->put(Shelf::Tasks, "arn" + std::to_string(i), std::string(500, 'a')));
    store.reset();
    {
        std::fstream raw(file(), std::ios::in | std::ios::out | std::ios::binary);
        raw.seekp(3L * 4096);
        raw << std::string(2L * 4096, '\x5a');
    }
    store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_TRUE(state) << state.error().what;
    EXPECT_THAT(state->damaged, SizeIs(1));
    EXPECT_THAT(state->tasks, IsEmpty());
}

TEST_F(SqliteStoreTest, ADatabaseThatIsDamagedWhileItIsInUseIsWrittenAnewFromMemory) {
    auto store = open();
    run(io, store->load());
    std::map<std::string, std::string> known;
    for (int i = 0; i < 300; ++i) known["arn" + std::to_string(i)] = std::string(5000, 'a');
    std::vector<StoreChange> first{{Shelf::Metadata, std::string(kClusterKey), "prod"}};
    for (const auto& [arn, text] : known) first.push_back({Shelf::Tasks, arn, text});
    run(io, store->commit(std::move(first)));
    store->rewritten_from([&known] {
        std::vector<StoreChange> all;
        for (const auto& [arn, text] : known) all.push_back({Shelf::Tasks, arn, text});
        all.push_back({Shelf::Unsent, "refused", "why"});
        return all;
    });
    damage();
    for (int i = 0; i < 300; i += 10) {
        const std::string arn = "arn" + std::to_string(i);
        known[arn] = "new";
        ASSERT_TRUE(run(io, store->put(Shelf::Tasks, arn, "new"))) << "a commit does not fail because of it";
    }
    EXPECT_TRUE(run(io, store->erase(Shelf::Tasks, "arn7")));
    store.reset();

    store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_TRUE(state) << state.error().what;
    EXPECT_THAT(state->damaged, IsEmpty());
    known.erase("arn7");
    EXPECT_TRUE(state->tasks == known);
    EXPECT_EQ(state->metadata_value(kClusterKey), "prod");
    EXPECT_THAT(state->unsent, ElementsAre(Pair("refused", "why")));
    int kept = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path() + "/data")) {
        const std::string name = entry.path().filename();
        kept += name.find(".damaged-") != std::string::npos && !name.ends_with("-wal") ? 1 : 0;
    }
    EXPECT_EQ(kept, 1) << "for people to look at";
}

TEST_F(SqliteStoreTest, TheDamagedDatabaseStaysInItsPlaceUntilTheNewOneIsComplete) {
    auto store = open();
    run(io, store->load());
    run(io, store->put(Shelf::Metadata, std::string(kClusterKey), "prod"));
    run(io, store->commit(much(std::string(5000, 'a'))));
    damage();
    std::filesystem::create_directories(file() + ".new/in the way");
    EXPECT_FALSE(run(io, store->commit(one_task())));
    EXPECT_TRUE(std::filesystem::exists(file()));
    std::filesystem::remove_all(file() + ".new");
    ASSERT_TRUE(run(io, store->commit(one_task())));
    EXPECT_FALSE(std::filesystem::exists(file() + ".new"));
    store.reset();
    store = open();
    const Result<StoredState> state = run(io, store->load());
    EXPECT_THAT(state->tasks, ElementsAre(Pair("arn", "task")));
    EXPECT_EQ(state->metadata_value(kClusterKey), "prod");
}

TEST_F(SqliteStoreTest, AKillBeforeTheNewDatabaseHadItsNameLosesNothing) {
    write_one_task();
    std::filesystem::rename(file(), file() + ".new");
    std::ofstream(file() + "-wal") << "left of the damaged one";
    const auto store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_TRUE(state) << state.error().what;
    EXPECT_THAT(state->tasks, ElementsAre(Pair("arn", "task")));
    EXPECT_THAT(state->damaged, IsEmpty());
}

TEST_F(SqliteStoreTest, AKillBeforeTheDamagedDatabaseHadGoneLosesNothing) {
    write_one_task();
    std::filesystem::rename(file(), file() + ".new");
    std::ofstream(file()) << std::string(8192, 'x');
    const auto store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_TRUE(state) << state.error().what;
    EXPECT_THAT(state->tasks, ElementsAre(Pair("arn", "task")));
    EXPECT_THAT(state->damaged, SizeIs(1));
}

TEST_F(SqliteStoreTest, AHalfMadeNewDatabaseIsNotTakenForTheGoodOne) {
    write_one_task();
    std::ofstream(file() + ".new") << "half";
    const auto store = open();
    EXPECT_THAT(run(io, store->load())->tasks, ElementsAre(Pair("arn", "task")));
    EXPECT_FALSE(std::filesystem::exists(file() + ".new"));
}

TEST_F(SqliteStoreTest, ADamagedDatabaseThatSomebodyHasRemovedIsWrittenAnew) {
    auto store = open();
    run(io, store->load());
    run(io, store->put(Shelf::Metadata, std::string(kClusterKey), "prod"));
    run(io, store->commit(much(std::string(5000, 'a'))));
    damage();
    std::filesystem::remove(file());
    ASSERT_TRUE(run(io, store->commit(one_task())));
    store.reset();
    store = open();
    const Result<StoredState> state = run(io, store->load());
    EXPECT_THAT(state->tasks, ElementsAre(Pair("arn", "task")));
    EXPECT_EQ(state->metadata_value(kClusterKey), "prod");
}

TEST_F(SqliteStoreTest, WhatWasSetAsideDoesNotComeBackWhenItIsWrittenAnew) {
    auto store = open();
    run(io, store->load());
    run(io, store->put(Shelf::Metadata, "bad", "{"));
    ASSERT_TRUE(run(io, store->set_aside(Shelf::Metadata, "bad", "unexpected end")));
    run(io, store->commit(much(std::string(5000, 'a'))));
    damage();
    ASSERT_TRUE(run(io, store->commit(one_task())));
    store.reset();
    store = open();
    EXPECT_THAT(run(io, store->load())->metadata, IsEmpty());
}

TEST_F(SqliteStoreTest, ASecondAgentOnTheSameStateIsRefusedUntilTheFirstHasGone) {
    auto store = open();
    run(io, store->load());
    run(io, store->put(Shelf::Tasks, "arn", "task"));
    auto second = open();
    const Result<StoredState> state = run(io, second->load());
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().kind, ErrorKind::Conflict);
    EXPECT_THAT(state.error().what, HasSubstr("another agent"));
    store.reset();
    const Result<StoredState> later = run(io, second->load());
    ASSERT_TRUE(later) << later.error().what;
    EXPECT_THAT(later->tasks, ElementsAre(Pair("arn", "task")));
}

TEST_F(SqliteStoreTest, AFileOfANewerAgentIsKeptAsideAndReported) {
    open_raw(R"(PRAGMA user_version = 99; CREATE TABLE other(x))");
    auto store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_TRUE(state) << state.error().what;
    ASSERT_THAT(state->damaged, SizeIs(1));
    EXPECT_THAT(state->damaged[0], HasSubstr("newer agent"));
    EXPECT_TRUE(run(io, store->put(Shelf::Tasks, "arn", "task")));
}

TEST_F(SqliteStoreTest, ADatabaseOfSomethingElseIsMovedAside) {
    open_raw("PRAGMA user_version = 1; CREATE TABLE something(x)");
    auto store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_TRUE(state) << state.error().what;
    EXPECT_THAT(state->damaged, SizeIs(1));
}

TEST_F(SqliteStoreTest, ADirectoryInItsPlaceIsMovedAside) {
    std::filesystem::create_directories(file());
    auto store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_TRUE(state) << state.error().what;
    EXPECT_THAT(state->damaged, SizeIs(1));
}

TEST_F(SqliteStoreTest, ARowThatHoldsNoTextIsSetAsideAndTheOthersStay) {
    auto store = open();
    run(io, store->load());
    run(io, store->put(Shelf::Tasks, "good", "task"));
    store.reset();
    open_raw("INSERT INTO record(shelf, key, body) VALUES(0, 'bad', x'00ff')");
    store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_TRUE(state) << state.error().what;
    EXPECT_THAT(state->tasks, ElementsAre(Pair("good", "task")));
    ASSERT_THAT(state->damaged, SizeIs(1));
    EXPECT_THAT(state->damaged[0], HasSubstr("bad"));
    EXPECT_THAT(run(io, store->load())->damaged, IsEmpty()) << "reported once";
}

std::vector<const char*> migrations_and(const char* one_more) {
    std::vector<const char*> all(SqliteDatabase::known_migrations().begin(), SqliteDatabase::known_migrations().end());
    all.push_back(one_more);
    return all;
}

TEST_F(SqliteStoreTest, AnOlderFileIsBroughtUpToDateStepByStep) {
    write_one_task();
    const auto later = migrations_and("ALTER TABLE record ADD COLUMN note TEXT; UPDATE record SET body = body || '!'");
    {
        auto database = SqliteDatabase::open(file(), later);
        ASSERT_TRUE(database) << database.error().what;
        EXPECT_THAT((*database)->load()->tasks, ElementsAre(Pair("arn", "task!")));
    }
    auto again = SqliteDatabase::open(file(), later);
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_THAT((*again)->load()->tasks, ElementsAre(Pair("arn", "task!"))) << "each step is taken once";
}

TEST_F(SqliteStoreTest, AMigrationThatFailsLeavesTheFileAsItWas) {
    write_one_task();
    const auto later = migrations_and("UPDATE record SET body = 'half done'; SELECT * FROM there_is_no_such_table");
    EXPECT_FALSE(SqliteDatabase::open(file(), later));
    auto store = open();
    EXPECT_THAT(run(io, store->load())->tasks, ElementsAre(Pair("arn", "task")));
}

TEST_F(SqliteStoreTest, ADirectoryThatCannotBeMadeIsNamed) {
    std::ofstream(directory + "/data") << "a file";
    auto store = open();
    const Result<StoredState> state = run(io, store->load());
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().what, HasSubstr(directory + "/data"));
}

}  // namespace
}  // namespace nodeagent::engine
