#pragma once
// An append-only text file that is rolled by size or by hour (host.md 8), for the log and the audit log.
//   size:   log.1, log.2, ... with growing numbers, the highest is the newest; the oldest beyond `keep` go
//   hourly: log.2026-02-03-04 for the hour that ended, UTC
// Thread-safe. A write is one write(2) into the page cache, never an fsync.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"

namespace nodeagent {

enum class Rollover : std::uint8_t { Size, Hourly, None };

struct RotatingFileOptions {
    std::string path;
    Rollover rollover = Rollover::Size;
    std::uint64_t max_bytes = 5'000'000;  ///< of the current file; a line is never split
    int keep = 24;                        ///< rolled files; 0 keeps all
    mode_t mode = 0644;
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
};

class RotatingFile {
  public:
    /// Opens or creates; the directory is created too.
    [[nodiscard]] static Result<std::unique_ptr<RotatingFile>> open(RotatingFileOptions options);
    ~RotatingFile();
    RotatingFile(const RotatingFile&) = delete;
    RotatingFile& operator=(const RotatingFile&) = delete;

    /// Appends `line` and a newline. False if it could not be written (disk full); the next call tries again.
    bool write(std::string_view line);

  private:
    struct State;
    explicit RotatingFile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace nodeagent
