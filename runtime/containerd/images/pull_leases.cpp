#include "runtime/containerd/images/pull_leases.hpp"

#include <utility>
#include <vector>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::runtime::containerd {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;

constexpr const char* kExpire = "containerd.io/gc.expire";
constexpr const char* kRoots = "ecs-roots-";
constexpr minutes kKeptFor{15};
constexpr hours kRootsLife{2};
constexpr hours kRootsUse{1};

}  // namespace

Result<std::string> PullLeases::make(const char* prefix, nanoseconds life) {
    std::string id = prefix + uuid4();
    const auto until = std::chrono::system_clock::now() + std::chrono::duration_cast<WallTime::duration>(life);
    auto made = client_.create_lease(id, {{kExpire, rfc3339_seconds(until)}});
    if (!made) return std::move(made).error();
    return id;
}

Result<std::string> PullLeases::take(const std::string& image, nanoseconds longest) {
    delete_stale();
    {
        const std::lock_guard lock(mutex_);
        const auto found = kept_.find(image);
        if (found != kept_.end() && found->second.expires > Clock::now() + longest) {
            std::string id = found->second.id;
            expiry_[id] = found->second.expires;
            kept_.erase(found);
            return id;
        }
    }
    const nanoseconds life = 2 * longest + kKeptFor;
    auto id = make("ecs-pull-", life);
    if (!id) return id;
    const std::lock_guard lock(mutex_);
    expiry_[*id] = Clock::now() + life;
    return id;
}

void PullLeases::give_back(const std::string& image, const std::string& lease, bool keep) {
    {
        const std::lock_guard lock(mutex_);
        const auto expires = expiry_.extract(lease);
        if (keep && !expires.empty()) {
            kept_.emplace(image, Kept{.id = lease, .since = Clock::now(), .expires = expires.mapped()});
            return;
        }
    }
    (void)client_.delete_lease(lease);  // one that stays behind expires
}

void PullLeases::delete_stale() {
    std::vector<std::string> stale;
    {
        const std::lock_guard lock(mutex_);
        const auto now = Clock::now();
        std::erase_if(kept_, [&](const auto& entry) {
            if (now - entry.second.since < kKeptFor) return false;
            stale.push_back(entry.second.id);
            return true;
        });
    }
    for (const std::string& id : stale) (void)client_.delete_lease(id);
}

Result<std::string> PullLeases::for_roots() {
    const std::lock_guard lock(mutex_);  // held while it is made: ten containers that start at once need one
    if (!roots_.id.empty() && Clock::now() - roots_.since < kRootsUse) return roots_.id;
    auto id = make(kRoots, kRootsLife);
    if (!id) return id;
    earlier_roots_ = roots_.id;
    roots_ = {.id = *id, .since = Clock::now(), .expires = {}};
    return id;
}

Result<void> PullLeases::delete_earlier_roots() {
    const std::lock_guard lock(mutex_);  // one that is being made is listed and not yet ours
    const auto leases = client_.list_leases();
    if (!leases) return leases.error();
    for (const std::string& id : *leases) {
        if (!id.starts_with(kRoots) || id == roots_.id || id == earlier_roots_) continue;
        if (auto deleted = client_.delete_lease(id); !deleted) return deleted;
    }
    return {};
}

void PullLeases::forget_roots() {
    const std::lock_guard lock(mutex_);
    if (!roots_.id.empty()) earlier_roots_ = roots_.id;  // others may still be at work under it
    roots_ = {};
}

}  // namespace nodeagent::runtime::containerd
