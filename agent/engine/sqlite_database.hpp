#pragma once
// The tables of the state store in one SQLite file. Blocking, for one thread. Schema 1:
//   record(shelf INTEGER, key TEXT, body TEXT, PRIMARY KEY(shelf, key))
//   damaged(shelf, key, body, why, set_aside_at)
// PRAGMA user_version is the schema; migrations run forward only, each in a transaction of its own.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/engine/state_store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace nodeagent::engine {

class SqliteDatabase {
  public:
    /// Opens or creates `path` with mode 0600 and brings its schema up to date; a migration that fails leaves it as it
    /// was. `migrations[n]` leads from schema n to n + 1. Malformed: the file is no database of ours, is damaged, or a
    /// newer agent wrote it; Conflict: another process holds it; Denied and Unavailable: the disk refuses.
    static Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path,
                                                        std::span<const char* const> migrations = known_migrations());
    [[nodiscard]] static std::span<const char* const> known_migrations();
    ~SqliteDatabase();
    SqliteDatabase(const SqliteDatabase&) = delete;
    SqliteDatabase& operator=(const SqliteDatabase&) = delete;

    /// Rows that hold no text where a text belongs are moved to the table `damaged` and listed.
    Result<StoredState> load();
    /// One transaction, fsynced.
    Result<void> apply(const std::vector<StoreChange>& changes);
    Result<void> set_aside(Shelf shelf, const std::string& key, const std::string& why);

  private:
    struct Close {
        void operator()(sqlite3* database) const;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

    SqliteDatabase() = default;
    Result<void> prepare_all(std::span<const char* const> migrations);
    Result<void> migrate(std::span<const char* const> migrations);
    Result<void> set_unreadable_rows_aside(StoredState& state);
    Result<Statement> prepare(const char* sql);
    Result<void> execute(const char* sql);
    Result<void> run(sqlite3_stmt* statement);
    /// Runs `work` between BEGIN and COMMIT; rolls back when it or the commit fails.
    template <class Work>
    Result<void> transaction(Work work);
    [[nodiscard]] Error failure(const char* doing) const;

    std::unique_ptr<sqlite3, Close> database_;
    Statement put_, erase_, set_aside_;
};

}  // namespace nodeagent::engine
