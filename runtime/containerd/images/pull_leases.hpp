#pragma once
// Leases of pulls. What a pull makes is its lease's until the image's record is there. A failed pull's lease stays a
// while, for the next attempt at the same image finds there what this one got; then it is deleted, or expires.

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"

namespace nodeagent::runtime::containerd {

class PullLeases {
  public:
    explicit PullLeases(Client& client) : client_(client) {}

    /// A lease for a pull of `image` that takes at most `longest`.
    Result<std::string> take(const std::string& image, std::chrono::nanoseconds longest);
    /// The pull is over. `keep`: another attempt is likely, and would find this one's blobs of use.
    void give_back(const std::string& image, const std::string& lease, bool keep);
    /// A lease of an hour and more for containers' roots until their containers are there; made anew in time.
    Result<std::string> for_roots();
    /// Of agents before this one: what they had begun to create will not be.
    Result<void> delete_earlier_roots();
    /// The daemon does not know it any more.
    void forget_roots();

  private:
    using Clock = std::chrono::steady_clock;
    struct Kept {
        std::string id;
        Clock::time_point since, expires;
    };
    Result<std::string> make(const char* prefix, std::chrono::nanoseconds life);
    void delete_stale();

    Client& client_;
    std::mutex mutex_;
    std::multimap<std::string, Kept> kept_;            ///< by image
    std::map<std::string, Clock::time_point> expiry_;  ///< of those in use
    Kept roots_;
    std::string earlier_roots_;  ///< under which a creation of an hour ago may still be
};

}  // namespace nodeagent::runtime::containerd
