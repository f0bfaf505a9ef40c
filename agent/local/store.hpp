#pragma once
// The control plane's memory on disk: one SQLite file in WAL mode, rows of JSON by kind and key. Used from one thread.
// synchronous=NORMAL: a killed process loses nothing; a power cut may lose the last rows, which a local control plane
// can afford and its speed cannot.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/error.hpp"

struct sqlite3;

namespace nodeagent::local {

class Store {
  public:
    /// Opens or creates `path`; ":memory:" for a store that ends with the process. Unavailable names the file and
    /// cause.
    [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::string& path);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    [[nodiscard]] Result<void> put(std::string_view kind, std::string_view key, std::string_view body);
    [[nodiscard]] Result<void> erase(std::string_view kind, std::string_view key);
    /// Calls `row` for each row of the kind, ordered by key. A row it answers false for is set aside as kind
    /// "rejected-<kind>" and never shown again.
    [[nodiscard]] Result<void> each(std::string_view kind,
                                    const std::function<bool(std::string_view key, std::string_view body)>& row);

    /// Appends to the history of a subject (a task ARN).
    [[nodiscard]] Result<void> append_history(std::string_view subject, std::string_view body);
    /// In the order they were appended.
    [[nodiscard]] Result<std::vector<std::string>> history(std::string_view subject);
    [[nodiscard]] Result<void> erase_history(std::string_view subject);

    /// Several writes as one: all of them or, after a crash in between, none. Not nested.
    [[nodiscard]] Result<void> transaction(const std::function<Result<void>()>& writes);

  private:
    explicit Store(sqlite3* database) : database_(database) {}
    Result<void> run(const char* sql, std::initializer_list<std::string_view> arguments,
                     const std::function<void(std::string_view, std::string_view)>& row = {});
    sqlite3* database_;
};

}  // namespace nodeagent::local
