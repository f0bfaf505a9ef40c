#pragma once
// Pulls images and resolves their digests, with retries, exact errors, one pull for all who want the same image at the
// same time, and a bound on pulls in parallel. task-engine.md 5.2, 5.5, 5.6.

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/scope.hpp"
#include "agent/core/task_state.hpp"
#include "agent/engine/one_shot.hpp"
#include "runtime/backend.hpp"

namespace nodeagent::engine {

class RuntimeLink;

struct PullLimits {
    std::chrono::nanoseconds manifest_timeout = std::chrono::minutes(1);
    std::chrono::nanoseconds inactivity_timeout = std::chrono::minutes(1);
    std::chrono::nanoseconds pull_timeout = std::chrono::hours(2);
    std::size_t parallel = 8;
};

/// "" when the manifest has none. A type of its own: result<> cannot tell a string from a NamedError.
struct ManifestDigest {
    std::string text;
};
using DigestResult = boost::system::result<ManifestDigest, core::NamedError>;

class ImagePuller {
  public:
    ImagePuller(asio::any_io_executor shard, Clock& clock, runtime::Backend& backend, RuntimeLink& link,
                PullLimits limits);

    /// Digest of the image's manifest in its registry.
    asio::awaitable<DigestResult> resolve(std::string image, runtime::RegistryAuth auth);
    /// Pulls `image`, by `digest` when one was resolved; afterwards the runtime knows it as `image`.
    asio::awaitable<std::optional<core::NamedError>> pull(std::string image, std::string digest,
                                                          runtime::RegistryAuth auth);

    /// Image clean-up and pulls exclude each other: pulls asked for between hold() and resume() wait.
    void hold() { held_ = true; }
    /// No pull is at work.
    [[nodiscard]] bool idle() const { return running_ == 0; }
    void resume();

    void cancel() { pulls_.cancel(); }
    asio::awaitable<void> drain() { return pulls_.drain(); }

  private:
    using Failure = std::optional<core::NamedError>;
    struct Job {
        std::string image;
        std::string digest;
        runtime::RegistryAuth auth;
        std::shared_ptr<OneShot<Failure>> done;
    };
    void start_waiting();
    asio::awaitable<void> work(std::string key);
    asio::awaitable<Failure> pull_with_retries(std::string image, std::string reference, runtime::RegistryAuth auth);
    asio::awaitable<Failure> tag_back(std::string reference, std::string image);

    asio::any_io_executor shard_;
    Clock& clock_;
    runtime::Backend& backend_;
    RuntimeLink& link_;
    PullLimits limits_;
    std::map<std::string, Job> under_way_;  ///< by what is pulled and as whom
    std::deque<std::string> queue_;         ///< keys of jobs without a slot
    std::size_t running_ = 0;
    bool held_ = false;
    Scope pulls_;
};

}  // namespace nodeagent::engine
