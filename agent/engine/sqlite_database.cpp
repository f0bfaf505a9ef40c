#include "agent/engine/sqlite_database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <utility>

namespace nodeagent::engine {

namespace {

constexpr std::array<const char*, 1> kMigrations{
    "CREATE TABLE record(shelf INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(shelf, key))"
    " WITHOUT ROWID;"
    "CREATE TABLE damaged(shelf INTEGER NOT NULL, key TEXT NOT NULL, body BLOB, why TEXT NOT NULL,"
    " set_aside_at TEXT NOT NULL);",
};

ErrorKind kind_of(int code) {
    switch (code & 0xff) {
        case SQLITE_NOTADB:
        case SQLITE_ERROR:  // not the tables and columns it should have
        case SQLITE_SCHEMA:
        case SQLITE_MISMATCH:
        case SQLITE_CORRUPT: return ErrorKind::Malformed;
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return ErrorKind::Conflict;
        case SQLITE_PERM:
        case SQLITE_READONLY:
        case SQLITE_AUTH: return ErrorKind::Denied;
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_NOMEM:
        case SQLITE_CANTOPEN: return ErrorKind::Unavailable;
        default: return ErrorKind::Internal;
    }
}

std::string column_text(sqlite3_stmt* row, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
    return text == nullptr ? std::string()
                           : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
}

void bind(sqlite3_stmt* statement, int index, const std::string& text) {
    sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

/// SQLite creates its -wal and -shm files with the mode of the database file, which must therefore be right first.
Result<void> create_private(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0 && errno == EISDIR) return Error{.kind = ErrorKind::Malformed, .what = path + ": a directory"};
    if (descriptor < 0) return from_errno("open " + path);
    const bool tightened = ::fchmod(descriptor, 0600) == 0;
    const Error error = tightened ? Error{} : from_errno("make " + path + " private");
    ::close(descriptor);
    if (!tightened) return error;
    return {};
}

}  // namespace

void SqliteDatabase::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void SqliteDatabase::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
SqliteDatabase::~SqliteDatabase() = default;

Error SqliteDatabase::failure(const char* doing) const {
    const int code = sqlite3_extended_errcode(database_.get());
    if (kind_of(code) == ErrorKind::Conflict) {
        return Error{.kind = ErrorKind::Conflict,
                     .what = "held by another agent: stop it, or give this one another ECS_DATADIR"};
    }
    return Error{.kind = kind_of(code), .what = std::string(doing) + ": " + sqlite3_errmsg(database_.get())};
}

Result<void> SqliteDatabase::execute(const char* sql) {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure(sql);
    return {};
}

Result<SqliteDatabase::Statement> SqliteDatabase::prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
        return failure(sql);
    }
    return Statement(statement);
}

Result<void> SqliteDatabase::run(sqlite3_stmt* statement) {
    const bool done = sqlite3_step(statement) == SQLITE_DONE;
    const Error error = done ? Error{} : failure("write");
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (!done) return error;
    return {};
}

template <class Work>
Result<void> SqliteDatabase::transaction(Work work) {
    if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
    Result<void> outcome = work();
    if (outcome) outcome = execute("COMMIT");
    // A failed COMMIT may have rolled back by itself; a second ROLLBACK then only reports that.
    if (!outcome && sqlite3_get_autocommit(database_.get()) == 0) (void)execute("ROLLBACK");
    return outcome;
}

std::span<const char* const> SqliteDatabase::known_migrations() { return kMigrations; }

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path,
                                                             std::span<const char* const> migrations) {
    if (auto made = create_private(path); !made) return std::move(made).error();
    std::unique_ptr<SqliteDatabase> self(new SqliteDatabase);
    sqlite3* handle = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    self->database_.reset(handle);
    if (opened != SQLITE_OK) return with_context(path, self->failure("open"));
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 2000);
    if (auto ready = self->prepare_all(migrations); !ready) return with_context(path, std::move(ready).error());
    return self;
}

Result<void> SqliteDatabase::prepare_all(std::span<const char* const> migrations) {
    // A small page cache: the whole database is a few hundred kilobytes and read once.
    // Exclusive: two agents on one state would undo each other's work; it also spares the shared-memory index file.
    for (const char* pragma :
         {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA cache_size = -256", "PRAGMA journal_mode = WAL",
          "PRAGMA synchronous = FULL", "PRAGMA journal_size_limit = 1048576"}) {
        if (auto set = execute(pragma); !set) return set;
    }
    if (auto current = migrate(migrations); !current) return current;
    const std::array<std::pair<Statement*, const char*>, 3> statements{{
        {&put_, "INSERT OR REPLACE INTO record(shelf, key, body) VALUES(?1, ?2, ?3)"},
        {&erase_, "DELETE FROM record WHERE shelf = ?1 AND key = ?2"},
        {&set_aside_,
         "INSERT INTO damaged(shelf, key, body, why, set_aside_at)"
         " SELECT shelf, key, body, ?3, datetime('now') FROM record WHERE shelf = ?1 AND key = ?2"},
    }};
    for (const auto& [statement, sql] : statements) {
        auto prepared = prepare(sql);
        if (!prepared) return std::move(prepared).error();
        *statement = *std::move(prepared);
    }
    return {};
}

Result<void> SqliteDatabase::migrate(std::span<const char* const> migrations) {
    const int latest = static_cast<int>(migrations.size());
    auto version = prepare("PRAGMA user_version");
    if (!version) return std::move(version).error();
    if (sqlite3_step(version->get()) != SQLITE_ROW) return failure("read the schema version");
    const int found = sqlite3_column_int(version->get(), 0);
    version->reset();
    if (found > latest || found < 0) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "schema " + std::to_string(found) + " was written by a newer agent; this one knows " +
                             std::to_string(latest)};
    }
    for (int schema = found; schema < latest; ++schema) {
        const std::string mark = "PRAGMA user_version = " + std::to_string(schema + 1);
        auto migrated = transaction([&]() -> Result<void> {
            if (auto made = execute(migrations[static_cast<std::size_t>(schema)]); !made) return made;
            return execute(mark.c_str());
        });
        if (!migrated)
            return with_context("migrate from schema " + std::to_string(schema), std::move(migrated).error());
    }
    return {};
}

Result<void> SqliteDatabase::set_unreadable_rows_aside(StoredState& state) {
    auto rows = prepare("SELECT CAST(key AS TEXT) FROM record WHERE typeof(key) <> 'text' OR typeof(body) <> 'text'");
    if (!rows) return std::move(rows).error();
    std::vector<std::string> found;
    int step = sqlite3_step(rows->get());
    for (; step == SQLITE_ROW; step = sqlite3_step(rows->get())) found.push_back(column_text(rows->get(), 0));
    if (step != SQLITE_DONE) return failure("read records");
    if (found.empty()) return {};
    auto moved = transaction([&]() -> Result<void> {
        const char* const copy =
            "INSERT INTO damaged(shelf, key, body, why, set_aside_at)"
            " SELECT shelf, CAST(key AS TEXT), body, 'not a text', datetime('now') FROM record"
            " WHERE typeof(key) <> 'text' OR typeof(body) <> 'text'";
        if (auto copied = execute(copy); !copied) return copied;
        return execute("DELETE FROM record WHERE typeof(key) <> 'text' OR typeof(body) <> 'text'");
    });
    if (!moved) return moved;
    for (const std::string& key : found) state.damaged.push_back("record " + key + ": not a text");
    return {};
}

Result<StoredState> SqliteDatabase::load() {
    auto check = prepare("PRAGMA quick_check(1)");
    if (!check) return std::move(check).error();
    if (sqlite3_step(check->get()) != SQLITE_ROW) return failure("check the database");
    if (const std::string verdict = column_text(check->get(), 0); verdict != "ok") {
        return Error{.kind = ErrorKind::Malformed, .what = "the database is damaged: " + verdict};
    }
    check->reset();
    StoredState state;
    if (auto moved = set_unreadable_rows_aside(state); !moved) return std::move(moved).error();
    auto rows = prepare("SELECT shelf, key, body FROM record");
    if (!rows) return std::move(rows).error();
    for (;;) {
        const int step = sqlite3_step(rows->get());
        if (step == SQLITE_DONE) return state;
        if (step != SQLITE_ROW) return failure("read records");
        std::string key = column_text(rows->get(), 1);
        std::string body = column_text(rows->get(), 2);
        switch (sqlite3_column_int(rows->get(), 0)) {
            case static_cast<int>(Shelf::Tasks): state.tasks.emplace(std::move(key), std::move(body)); break;
            case static_cast<int>(Shelf::Images): state.images.emplace(std::move(key), std::move(body)); break;
            case static_cast<int>(Shelf::Metadata): state.metadata.emplace(std::move(key), std::move(body)); break;
            case static_cast<int>(Shelf::Unsent): state.unsent.emplace(std::move(key), std::move(body)); break;
            default: break;  // a shelf of a newer agent with the same schema
        }
    }
}

Result<void> SqliteDatabase::apply(const std::vector<StoreChange>& changes) {
    return transaction([&]() -> Result<void> {
        for (const StoreChange& change : changes) {
            sqlite3_stmt* statement = change.text ? put_.get() : erase_.get();
            sqlite3_bind_int(statement, 1, static_cast<int>(change.shelf));
            bind(statement, 2, change.key);
            if (change.text) bind(statement, 3, *change.text);
            if (auto written = run(statement); !written) return written;
        }
        return {};
    });
}

Result<void> SqliteDatabase::set_aside(Shelf shelf, const std::string& key, const std::string& why) {
    return transaction([&]() -> Result<void> {
        for (sqlite3_stmt* statement : {set_aside_.get(), erase_.get()}) {
            sqlite3_bind_int(statement, 1, static_cast<int>(shelf));
            bind(statement, 2, key);
            if (statement == set_aside_.get()) bind(statement, 3, why);
            if (auto written = run(statement); !written) return written;
        }
        return {};
    });
}

}  // namespace nodeagent::engine
