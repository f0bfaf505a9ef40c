#include "metadata/rate_limit.hpp"

#include <algorithm>

namespace nodeagent::metadata {

namespace {

// A full table is looked through at most this often, so that a flood of paths costs little.
constexpr auto kSweepPause = std::chrono::milliseconds(100);
constexpr std::size_t kFirstSweep = 256;

}  // namespace

RateLimit::RateLimit(int rate, int burst) : rate_(rate), burst_(burst) {}

void RateLimit::refill(Bucket& bucket, SteadyTime now) const {
    const double elapsed = std::chrono::duration<double>(now - bucket.filled_at).count();
    if (elapsed <= 0) return;
    bucket.tokens = std::min(burst_, bucket.tokens + elapsed * rate_);
    bucket.filled_at = now;
}

void RateLimit::drop_full_buckets(SteadyTime now) {
    std::erase_if(buckets_, [&](const auto& entry) {
        Bucket bucket = entry.second;
        refill(bucket, now);
        return bucket.tokens >= burst_;
    });
    next_sweep_ = std::max(kFirstSweep, buckets_.size() * 2);
    swept_at_ = now;
}

RateLimit::Bucket& RateLimit::bucket_for(const Key& key, SteadyTime now) {
    const auto found = buckets_.find(key);
    if (found != buckets_.end()) return found->second;
    if (buckets_.size() >= std::min(next_sweep_, kMaxBuckets) && now - swept_at_ >= kSweepPause) drop_full_buckets(now);
    Key stored = key;
    // One shared bucket per source adds at most as many as there are sources.
    if (buckets_.size() >= kMaxBuckets) stored.path = 0;
    return buckets_.try_emplace(stored, Bucket{.tokens = burst_, .filled_at = now}).first->second;
}

bool RateLimit::allow(const Address& source, std::string_view path, SteadyTime now) {
    Bucket& bucket = bucket_for({.source = source, .path = std::hash<std::string_view>{}(path)}, now);
    refill(bucket, now);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
}

}  // namespace nodeagent::metadata
