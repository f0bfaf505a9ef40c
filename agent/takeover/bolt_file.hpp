#pragma once
// Reads the reference's state file, a bbolt database (host.md 2.4), and never writes to it. Every number in it is
// checked before it is used: a foreign, truncated or damaged file is an Error that says what is wrong, never a crash,
// an endless walk or a partial answer.

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/base/error.hpp"
#include "agent/base/fd.hpp"

namespace nodeagent::takeover {

/// Larger files are refused; the reference's are a few MB.
inline constexpr std::size_t kLargestBoltFile = 256U << 20U;

struct BoltBucket {
    std::map<std::string, std::string, std::less<>> values;
    std::map<std::string, BoltBucket, std::less<>> buckets;
    friend bool operator==(const BoltBucket&, const BoltBucket&) = default;
    /// Bucket `name`; nullptr when there is none.
    [[nodiscard]] const BoltBucket* find(std::string_view name) const {
        const auto found = buckets.find(name);
        return found == buckets.end() ? nullptr : &found->second;
    }
};

/// The whole tree of the newest transaction in `file`, the bytes of a bbolt file of this machine's byte order.
/// Malformed: "is no bbolt file", "is truncated: ...", "is damaged: ...".
[[nodiscard]] Result<BoltBucket> read_bolt(std::string_view file);

/// A file that is read, and the lock that keeps its writer off as long as this lives.
struct LockedBolt {
    Fd lock;
    BoltBucket root;
};

/// Takes the lock (shared, without waiting) and reads. Conflict: a writer has the file open. NotFound, Denied by kind,
/// Malformed as above. The path is in every error. Blocking.
[[nodiscard]] Result<LockedBolt> open_bolt(const std::string& path);

}  // namespace nodeagent::takeover
