#pragma once
// A token bucket per source address and path (endpoints.md 1.4). Buckets start full. Memory is bounded: a bucket that
// is full again is as good as none and goes; a source with very many busy paths gets one bucket for all its further
// ones.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "agent/base/clock.hpp"

namespace nodeagent::metadata {

class RateLimit {
  public:
    using Address = std::array<unsigned char, 16>;
    static constexpr std::size_t kMaxBuckets = 16384;

    /// `rate` tokens per second, at most `burst` at a time.
    RateLimit(int rate, int burst);
    /// Takes a token if there is one.
    [[nodiscard]] bool allow(const Address& source, std::string_view path, SteadyTime now);
    [[nodiscard]] std::size_t buckets() const { return buckets_.size(); }

  private:
    struct Key {
        Address source;
        std::uint64_t path;  ///< hash: a collision only joins two buckets of one source
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const {
            const std::string_view bytes(reinterpret_cast<const char*>(key.source.data()), key.source.size());
            return std::hash<std::string_view>{}(bytes) ^ static_cast<std::size_t>(key.path);
        }
    };
    struct Bucket {
        double tokens = 0;
        SteadyTime filled_at;
    };
    void refill(Bucket& bucket, SteadyTime now) const;
    Bucket& bucket_for(const Key& key, SteadyTime now);
    void drop_full_buckets(SteadyTime now);

    double rate_;
    double burst_;
    std::size_t next_sweep_ = 256;  ///< number of buckets at which full ones are looked for
    SteadyTime swept_at_{};
    std::unordered_map<Key, Bucket, KeyHash> buckets_;
};

}  // namespace nodeagent::metadata
