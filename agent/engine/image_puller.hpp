#pragma once
// Pulls images and resolves their digests, with retries, exact errors, one pull for all who want the same image at the
// same time, and a bound on pulls in parallel. task-engine.md 5.2, 5.5, 5.6.

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/scope.hpp"
#include "agent/core/task_state.hpp"
#include "agent/core/view.hpp"
#include "agent/engine/engine_figures.hpp"
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

/// Whose container wants the image: task ARN, container name.
using PullFor = std::pair<std::string, std::string>;

/// What became of the attempt to make room on a full disk.
struct RoomMade {
    bool freed = false;
    std::string disk;  ///< "disk /var/lib/docker: 99% of ...", for people; "" unknown
};

struct PullHooks {
    /// What pulls() says of this task has changed; at most once a second for progress alone.
    std::function<void(const std::string& task_arn)> changed;
    /// The disk is full: removes what is not used. Without it nothing is removed.
    std::function<asio::awaitable<RoomMade>()> make_room;
};

class ImagePuller {
  public:
    ImagePuller(asio::any_io_executor shard, Clock& clock, runtime::Backend& backend, RuntimeLink& link,
                PullLimits limits, PullHooks hooks);

    /// Digest of the image's manifest in its registry.
    asio::awaitable<DigestResult> resolve(std::string image, runtime::RegistryAuth auth, PullFor whom);
    /// Pulls `image`, by `digest` when one was resolved; afterwards the runtime knows it as `image`.
    asio::awaitable<std::optional<core::NamedError>> pull(std::string image, std::string digest,
                                                          runtime::RegistryAuth auth, PullFor whom);

    /// Of the task's containers, those whose image is being pulled or whose digest is asked for.
    [[nodiscard]] core::PullViews pulls(const std::string& task_arn) const;
    [[nodiscard]] PullFigures figures() const;
    /// From now on; pulls at work go on.
    void set_parallel(std::size_t parallel);

    void cancel() { pulls_.cancel(); }
    asio::awaitable<void> drain() { return pulls_.drain(); }

  private:
    using Failure = std::optional<core::NamedError>;
    struct Job {
        std::string image;
        std::string digest;
        runtime::RegistryAuth auth;
        std::shared_ptr<OneShot<Failure>> done;
        std::set<PullFor> waiters;
        model::PullView view;
        SteadyTime told{};
    };
    void tell(Job& job);
    void take_progress(const std::string& key, const runtime::PullProgress& progress);
    void start_waiting();
    asio::awaitable<void> work(std::string key);
    asio::awaitable<Failure> pull_with_retries(std::string key, std::string reference);
    asio::awaitable<Failure> tag_back(std::string reference, std::string image);

    asio::any_io_executor shard_;
    Clock& clock_;
    runtime::Backend& backend_;
    RuntimeLink& link_;
    PullLimits limits_;
    std::map<std::string, Job> under_way_;  ///< by what is pulled and as whom
    std::deque<std::string> queue_;         ///< keys of jobs without a slot
    std::size_t running_ = 0;
    PullFigures done_;
    PullHooks hooks_;
    std::map<PullFor, model::PullView> resolving_;
    Scope pulls_;
};

}  // namespace nodeagent::engine
