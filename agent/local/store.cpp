#include "agent/local/store.hpp"

#include <sqlite3.h>

namespace nodeagent::local {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS records(kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY(kind, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS history(n INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, body TEXT NOT "
    "NULL);"
    "CREATE INDEX IF NOT EXISTS history_by_subject ON history(subject, n);";

Error failure(std::string_view doing, sqlite3* database) {
    return {.kind = ErrorKind::Unavailable,
            .what = std::string(doing) + ": " + (database != nullptr ? sqlite3_errmsg(database) : "out of memory")};
}

std::string_view column(sqlite3_stmt* statement, int index) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement, index))};
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& path) {
    sqlite3* database = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    std::unique_ptr<Store> store(new Store(database));  // closes it on every way out
    if (opened != SQLITE_OK) return failure("open " + path, database);
    sqlite3_busy_timeout(database, 2000);
    for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", kSchema}) {
        if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
            return failure("prepare " + path, database);
    }
    return store;
}

Store::~Store() { sqlite3_close(database_); }

Result<void> Store::run(const char* sql, std::initializer_list<std::string_view> arguments,
                        const std::function<void(std::string_view, std::string_view)>& row) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) return failure("prepare", database_);
    int position = 0;
    for (const std::string_view argument : arguments) {
        sqlite3_bind_text(statement, ++position, argument.data(), static_cast<int>(argument.size()), SQLITE_TRANSIENT);
    }
    int step = SQLITE_ROW;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        if (row)
            row(column(statement, 0), sqlite3_column_count(statement) > 1 ? column(statement, 1) : std::string_view{});
    }
    Result<void> outcome;
    if (step != SQLITE_DONE) outcome = failure("write the control plane's state", database_);
    sqlite3_finalize(statement);
    return outcome;
}

Result<void> Store::put(std::string_view kind, std::string_view key, std::string_view body) {
    return run("INSERT INTO records(kind, key, body) VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
               {kind, key, body});
}

Result<void> Store::erase(std::string_view kind, std::string_view key) {
    return run("DELETE FROM records WHERE kind = ? AND key = ?", {kind, key});
}

Result<void> Store::each(std::string_view kind,
                         const std::function<bool(std::string_view key, std::string_view body)>& row) {
    std::vector<std::string> rejected;
    auto read = run("SELECT key, body FROM records WHERE kind = ? ORDER BY key", {kind},
                    [&](std::string_view key, std::string_view body) {
                        if (!row(key, body)) rejected.emplace_back(key);
                    });
    if (!read) return read;
    const std::string aside = "rejected-" + std::string(kind);
    for (const std::string& key : rejected) {
        if (auto moved = run("UPDATE OR REPLACE records SET kind = ? WHERE kind = ? AND key = ?", {aside, kind, key});
            !moved) {
            return moved;
        }
    }
    return {};
}

Result<void> Store::append_history(std::string_view subject, std::string_view body) {
    return run("INSERT INTO history(subject, body) VALUES(?, ?)", {subject, body});
}

Result<std::vector<std::string>> Store::history(std::string_view subject) {
    std::vector<std::string> entries;
    auto read = run("SELECT body FROM history WHERE subject = ? ORDER BY n", {subject},
                    [&](std::string_view body, std::string_view) { entries.emplace_back(body); });
    if (!read) return std::move(read).error();
    return entries;
}

Result<void> Store::erase_history(std::string_view subject) {
    return run("DELETE FROM history WHERE subject = ?", {subject});
}

Result<void> Store::transaction(const std::function<Result<void>()>& writes) {
    if (auto begun = run("BEGIN IMMEDIATE", {}); !begun) return begun;
    if (auto written = writes(); !written) {
        // the first failure is the one to report; a failed rollback leaves nothing committed either
        (void)run("ROLLBACK", {});
        return written;
    }
    return run("COMMIT", {});
}

}  // namespace nodeagent::local
