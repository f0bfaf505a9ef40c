#include "agent/engine/image_puller.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/log.hpp"
#include "agent/base/retries.hpp"
#include "agent/core/pull_rules.hpp"
#include "agent/engine/image_reference.hpp"
#include "agent/engine/patient_work.hpp"
#include "agent/engine/runtime_errors.hpp"
#include "agent/engine/runtime_link.hpp"

namespace nodeagent::engine {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kManifestAttempts = 9;
constexpr BackoffPolicy kManifestBackoff{milliseconds(10), seconds(5), 0.2, 3};
constexpr int kPullAttempts = 5;
constexpr BackoffPolicy kPullBackoff{milliseconds(1100), seconds(5), 0.2, 2};
constexpr int kTagAttempts = 5;
constexpr milliseconds kTagPause(100);
constexpr seconds kTellEvery(1);  ///< progress is for people

/// Jobs are the same when they ask the same registry for the same thing as the same user.
std::string job_key(const std::string& image, const std::string& digest, const runtime::RegistryAuth& auth) {
    const auto password = std::hash<std::string>{}(auth.password.reveal());
    return image + '\n' + digest + '\n' + auth.server_address + '\n' + auth.username + '\n' + std::to_string(password);
}

/// A timed-out pull names the limit it hit: the first progress record has one of its own.
core::NamedError pull_error(const Error& error, std::chrono::nanoseconds elapsed, std::chrono::nanoseconds total,
                            const std::string& image) {
    if (error.kind != ErrorKind::Timeout) return core::pull_failure(kPull.error_name, error.what, image);
    if (elapsed < total) return named_error(kPullBegin, error, runtime::PullOptions{}.begin_timeout);
    return named_error(kPull, error, total);
}

}  // namespace

ImagePuller::ImagePuller(asio::any_io_executor shard, Clock& clock, runtime::Backend& backend, RuntimeLink& link,
                         PullLimits limits, PullHooks hooks)
    : shard_(shard),
      clock_(clock),
      backend_(backend),
      link_(link),
      limits_(limits),
      hooks_(std::move(hooks)),
      pulls_(shard) {}

asio::awaitable<DigestResult> ImagePuller::resolve(std::string image, runtime::RegistryAuth auth, PullFor whom) {
    struct Entry {  // shown while this coroutine lives, however it ends
        std::map<PullFor, model::PullView>& all;
        const PullFor& key;
        ~Entry() { all.erase(key); }
    };
    resolving_[whom].since = clock_.now().wall;
    const Entry entry{resolving_, whom};
    Backoff backoff(kManifestBackoff);
    PatientWork patience(link_, clock_, backend_);
    const SteadyTime begun = clock_.now().steady;
    const auto taken = [&]() -> std::chrono::nanoseconds { return clock_.now().steady - begun - patience.waited(); };
    Error last;
    for (int attempt = 1; attempt <= kManifestAttempts; ++attempt) {
        co_await patience.ready();
        const std::chrono::nanoseconds left = limits_.manifest_timeout - taken();
        if (left <= std::chrono::nanoseconds::zero()) {
            last.kind = ErrorKind::Timeout;
            break;
        }
        resolving_[whom].attempt = attempt;
        Result<std::string> digest = co_await backend_.resolve_digest(image, auth, left);
        if (digest) co_return ManifestDigest{*std::move(digest)};
        last = std::move(digest).error();
        if (last.kind == ErrorKind::Timeout) break;
        const bool lost = co_await patience.lost(last);
        if (lost) {
            --attempt;
            continue;
        }
        log::debug("manifest not resolved", {{"image", image}, {"attempt", attempt}, {"cause", last.what}});
        if (attempt >= core::attempts_after(core::kind_of_failure(last), kManifestAttempts)) break;
        resolving_[whom].last_error = core::pull_failure(kResolveManifest.error_name, last.what, image).message;
        if (hooks_.changed) hooks_.changed(whom.first);
        count_retry(Retried::ImageDigest, last.kind);
        co_await clock_.sleep_for(backoff.next());
    }
    if (last.kind != ErrorKind::Timeout) {
        co_return core::pull_failure(kResolveManifest.error_name, last.what, image);
    }
    co_return named_error(kResolveManifest, last, taken());
}

asio::awaitable<std::optional<core::NamedError>> ImagePuller::pull(std::string image, std::string digest,
                                                                   runtime::RegistryAuth auth, PullFor whom) {
    const std::string key = job_key(image, digest, auth);
    auto [found, is_new] = under_way_.try_emplace(key);
    Job& job = found->second;
    if (is_new) {
        job.image = std::move(image);
        job.digest = std::move(digest);
        job.auth = std::move(auth);
        job.done = std::make_shared<OneShot<Failure>>(shard_);
        job.view.queued = true;
        job.view.since = clock_.now().wall;
        queue_.push_back(key);
    }
    job.waiters.insert(std::move(whom));
    auto done = job.done;
    start_waiting();
    co_return co_await OneShot<Failure>::wait(std::move(done));
}

core::PullViews ImagePuller::pulls(const std::string& task_arn) const {
    core::PullViews views;
    for (auto found = resolving_.lower_bound({task_arn, {}}); found != resolving_.end(); ++found) {
        if (found->first.first != task_arn) break;
        views.emplace(found->first.second, found->second);
    }
    for (const auto& [key, job] : under_way_) {
        for (auto whom = job.waiters.lower_bound({task_arn, {}}); whom != job.waiters.end(); ++whom) {
            if (whom->first != task_arn) break;
            views.insert_or_assign(whom->second, job.view);
        }
    }
    return views;
}

PullFigures ImagePuller::figures() const {
    PullFigures figures = done_;
    figures.queued = queue_.size();
    figures.running = running_;
    return figures;
}

void ImagePuller::set_parallel(std::size_t parallel) {
    limits_.parallel = parallel;
    start_waiting();
}

void ImagePuller::tell(Job& job) {
    job.told = clock_.now().steady;
    if (!hooks_.changed) return;
    for (const auto& [task_arn, container] : job.waiters) hooks_.changed(task_arn);
}

void ImagePuller::take_progress(const std::string& key, const runtime::PullProgress& progress) {
    Job& job = under_way_.at(key);
    job.view.current_bytes = progress.current_bytes;
    job.view.total_bytes = progress.total_bytes;
    job.view.layers = progress.layers;
    job.view.layers_done = progress.layers_done;
    if (clock_.now().steady - job.told >= kTellEvery) tell(job);
}

void ImagePuller::start_waiting() {
    while (running_ < limits_.parallel && !queue_.empty()) {
        ++running_;
        std::string key = std::move(queue_.front());
        queue_.pop_front();  // first: the work may begin, and end, inside spawn()
        pulls_.spawn(work(std::move(key)));
    }
}

asio::awaitable<void> ImagePuller::work(std::string key) {
    const std::string image = under_way_.at(key).image;
    const std::string reference = pull_reference(image, under_way_.at(key).digest);
    under_way_.at(key).view.queued = false;
    const SteadyTime begun = clock_.now().steady;
    Failure failure = co_await pull_with_retries(key, reference);
    if (!failure && reference != image && image_digest(image).empty() && !image_digest(reference).empty()) {
        failure = co_await tag_back(reference, image);
    }
    --running_;
    ++done_.ended;
    done_.failed += failure ? 1U : 0U;
    done_.bytes += under_way_.at(key).view.current_bytes;
    done_.taken += clock_.now().steady - begun;
    const auto done = under_way_.at(key).done;
    under_way_.erase(key);
    done->give(std::move(failure));
    start_waiting();
}

asio::awaitable<ImagePuller::Failure> ImagePuller::pull_with_retries(std::string key, std::string reference) {
    Job& job = under_way_.at(key);  // stays there until this returns
    const std::string image = job.image;
    Backoff backoff(kPullBackoff);
    PatientWork patience(link_, clock_, backend_);
    const SteadyTime begun = clock_.now().steady;
    const auto taken = [&]() -> std::chrono::nanoseconds { return clock_.now().steady - begun - patience.waited(); };
    Error last;
    for (int attempt = 1; attempt <= kPullAttempts; ++attempt) {
        co_await patience.ready();
        runtime::PullOptions options;
        options.inactivity_timeout = limits_.inactivity_timeout;
        options.total_timeout = limits_.pull_timeout - taken();
        if (options.total_timeout <= std::chrono::nanoseconds::zero()) {
            last.kind = ErrorKind::Timeout;
            break;
        }
        job.view.attempt = attempt;
        job.view.retry_at.reset();
        std::function<void(const runtime::PullProgress&)> progress = [this, key](const runtime::PullProgress& heard) {
            take_progress(key, heard);
        };
        const runtime::RegistryAuth auth = job.auth;
        Result<void> pulled = co_await backend_.pull(reference, auth, options, std::move(progress));
        if (pulled) co_return std::nullopt;
        last = std::move(pulled).error();
        const bool lost = co_await patience.lost(last);
        if (lost) {
            log::warn("the container runtime went away during a pull; pulling again once it is back",
                      {{"image", image}, {"cause", last.what}});
            --attempt;
            continue;
        }
        const std::string cause = core::pull_failure(kPull.error_name, last.what, image).message;
        const core::PullFailure failure = core::kind_of_failure(last);
        RoomMade room;
        if (failure == core::PullFailure::NoSpace && hooks_.make_room) room = co_await hooks_.make_room();
        log::warn("image not pulled", {{"image", image}, {"attempt", attempt}, {"cause", cause}, {"disk", room.disk}});
        const bool hopeless = failure == core::PullFailure::NoSpace && !room.freed;
        if (hopeless || attempt >= core::attempts_after(failure, kPullAttempts)) break;
        const std::chrono::nanoseconds pause = backoff.next();
        job.view =
            model::PullView{.attempt = attempt,
                            .since = job.view.since,
                            .last_error = room.disk.empty() ? cause : cause + " (" + room.disk + ")",
                            .retry_at = clock_.now().wall + std::chrono::duration_cast<WallTime::duration>(pause)};
        tell(job);
        count_retry(Retried::ImagePull, last.kind);
        co_await clock_.sleep_for(pause);
    }
    co_return pull_error(last, taken(), limits_.pull_timeout, image);
}

asio::awaitable<ImagePuller::Failure> ImagePuller::tag_back(std::string reference, std::string image) {
    Error last;
    for (int attempt = 1; attempt <= kTagAttempts; ++attempt) {
        std::function<asio::awaitable<Result<void>>()> tag = [&] { return backend_.tag(reference, image); };
        Result<void> tagged = co_await patient_call(link_, clock_, std::move(tag));
        if (tagged) co_return std::nullopt;
        last = std::move(tagged).error();
        if (attempt < kTagAttempts) co_await clock_.sleep_for(kTagPause);
    }
    co_return named_error(kPull, last, seconds(30));
}

}  // namespace nodeagent::engine
