#include "agent/ecs/state_reporter.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>

#include "agent/base/log.hpp"
#include "agent/base/retries.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/test_point.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::ecs {

namespace {

using std::chrono::seconds;

constexpr seconds kFlushPeriod{10};
constexpr seconds kFlushSpread{20};
constexpr BackoffPolicy kRetry{.min = seconds(1), .max = seconds(30), .jitter = 0.2, .multiplier = 1.3};
constexpr std::size_t kReasonLimit = 1024;
constexpr std::size_t kIdLimit = 255;
constexpr std::size_t kBindingLimit = 100;

std::optional<double> timestamp(const std::optional<model::TaskStateChange::WallTime>& when) {
    return when ? std::optional(epoch_seconds(*when)) : std::nullopt;
}

std::optional<std::vector<model::NetworkBindingEntry>> bindings_of(const model::ContainerStateChange& change,
                                                                   const BindingFilter& filter) {
    std::vector<model::NetworkBindingEntry> out;
    for (const model::NetworkBinding& binding : change.network_bindings) {
        if (filter.ipv4_any && binding.bind_ip == "0.0.0.0") continue;
        if (filter.ipv6_any && binding.bind_ip == "::") continue;
        out.push_back({.bind_ip = binding.bind_ip,
                       .container_port = binding.container_port,
                       .container_port_range = binding.container_port_range,
                       .host_port = binding.host_port,
                       .host_port_range = binding.host_port_range,
                       .protocol = binding.protocol});
    }
    if (out.empty() && (filter.ipv4_any || filter.ipv6_any)) return std::nullopt;
    return out;
}

bool has_range(const model::ContainerStateChange& change) {
    return std::any_of(change.network_bindings.begin(), change.network_bindings.end(),
                       [](const model::NetworkBinding& b) { return !b.container_port_range.empty(); });
}

model::ContainerSubmission submission_of(const model::ContainerStateChange& change, const BindingFilter& filter) {
    model::ContainerSubmission out;
    out.container_name = change.container_name;
    out.exit_code = change.exit_code;
    out.image_digest = truncated(change.image_digest, kIdLimit);
    out.network_bindings = bindings_of(change, filter);
    out.reason = truncated(change.reason, kReasonLimit);
    out.runtime_id = truncated(change.runtime_id, kIdLimit);
    out.status = model::to_service_word(change.status);
    return out;
}

void pass_before([[maybe_unused]] model::TaskStatus status) {
    if (status == model::TaskStatus::ManifestPulled) NODEAGENT_POINT("report.manifest.before");
    if (status == model::TaskStatus::Running) NODEAGENT_POINT("report.running.before");
    if (status == model::TaskStatus::Stopped) NODEAGENT_POINT("report.stopped.before");
}

void pass_answered([[maybe_unused]] model::TaskStatus status) {
    if (status == model::TaskStatus::ManifestPulled) NODEAGENT_POINT("report.manifest.answered");
    if (status == model::TaskStatus::Running) NODEAGENT_POINT("report.running.answered");
    if (status == model::TaskStatus::Stopped) NODEAGENT_POINT("report.stopped.answered");
}

}  // namespace

Result<model::SubmitTaskStateChangeRequest> build_submission(
    const std::string& cluster, const BindingFilter& filter, const model::TaskStateChange& task,
    const std::vector<model::ContainerStateChange>& containers) {
    model::SubmitTaskStateChangeRequest request;
    request.cluster = cluster;
    for (const model::ContainerStateChange& change : containers) {
        if (has_range(change) && change.network_bindings.size() > kBindingLimit) {
            return Error{.kind = ErrorKind::Malformed,
                         .what = "container " + change.container_name + " has " +
                                 std::to_string(change.network_bindings.size()) +
                                 " network bindings, of which ECS takes 100: use fewer or wider port ranges"};
        }
        request.containers.push_back(submission_of(change, filter));
    }
    request.execution_stopped_at = timestamp(task.execution_stopped_at);
    request.pull_started_at = timestamp(task.pull_started_at);
    request.pull_stopped_at = timestamp(task.pull_stopped_at);
    request.reason = truncated(task.reason, kReasonLimit);
    request.status = model::to_service_word(task.status);
    request.task = task.task_arn;
    return request;
}

StateReporter::StateReporter(ApiClient& api, const model::SnapshotBoard& board, Clock& clock,
                             asio::any_io_executor shard, Options options, OnAck on_ack)
    : api_(api),
      board_(board),
      clock_(clock),
      options_(std::move(options)),
      on_ack_(std::move(on_ack)),
      slots_(shard, kConcurrentSubmissions),
      timers_(shard),
      work_(shard) {}

StateReporter::~StateReporter() = default;

void StateReporter::start() { timers_.spawn(tick()); }

void StateReporter::submit(model::ContainerStateChange change) {
    if (closed_) return;
    lanes_[change.task_arn].batch.push_back(std::move(change));
}

void StateReporter::submit(model::TaskStateChange change) {
    if (closed_) return;
    const std::string arn = change.task_arn;
    enqueue(arn, std::move(change));
}

void StateReporter::enqueue(const std::string& task_arn, model::TaskStateChange change) {
    Lane& lane = lanes_[task_arn];
    Entry entry;
    entry.task = std::move(change);
    entry.containers = std::exchange(lane.batch, {});
    lane.entries.push_back(std::move(entry));
    if (std::exchange(lane.working, true)) return;
    work_.spawn(work(task_arn));
}

asio::awaitable<void> StateReporter::tick() {
    for (;;) {
        co_await clock_.sleep_for(jittered(kFlushPeriod, kFlushSpread));
        flush();
    }
}

void StateReporter::flush() {
    const std::shared_ptr<const model::Snapshot> snapshot = board_.current();
    std::vector<model::TaskStateChange> due;
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
        const auto task = snapshot->tasks.find(lane->first);
        const bool known = task != snapshot->tasks.end();
        if (!known && !lane->second.working) {
            lane = lanes_.erase(lane);  // the engine has forgotten the task: nobody will ask about it again
            continue;
        }
        // a stopped task's own change takes the batch along
        if (known && !lane->second.batch.empty() && task->second->known != model::TaskStatus::Stopped) {
            model::TaskStateChange change;
            change.task_arn = lane->first;
            change.status = task->second->known;
            change.pull_started_at = task->second->pull_started_at;
            change.pull_stopped_at = task->second->pull_stopped_at;
            change.execution_stopped_at = task->second->execution_stopped_at;
            due.push_back(std::move(change));
        }
        ++lane;
    }
    for (model::TaskStateChange& change : due) {
        const std::string arn = change.task_arn;
        enqueue(arn, std::move(change));
    }
}

asio::awaitable<void> StateReporter::work(std::string task_arn) {
    for (;;) {
        Lane& lane = lanes_[task_arn];
        if (lane.entries.empty()) {
            lane.working = false;
            if (!board_.current()->tasks.contains(task_arn) && lane.batch.empty()) lanes_.erase(task_arn);
            co_return;
        }
        Backoff backoff(kRetry);
        bool done = false;
        while (!done) {
            Entry entry = lanes_[task_arn].entries.front();
            if (!worth_sending(lanes_[task_arn], entry)) {
                // ECS has it already; a task that reports it anew must hear that too
                if (on_ack_) on_ack_(ack_of(entry, {}));
                break;
            }
            const Sent verdict = co_await send(std::move(entry));
            done = verdict.kind != Verdict::TryAgain;
            if (verdict.kind == Verdict::Acknowledged) {
                Lane& after = lanes_[task_arn];
                acknowledge(after, after.entries.front());
            } else {
                if (done && on_ack_) on_ack_(ack_of(lanes_[task_arn].entries.front(), verdict.why));
                const auto delay = backoff.next();
                co_await clock_.sleep_for(delay);
            }
        }
        lanes_[task_arn].entries.pop_front();
    }
}

bool StateReporter::worth_sending(const Lane& lane, const Entry& entry) const {
    // PENDING says nothing but the digests its containers bring; the ticker has taken them along already
    if (entry.task.status < model::TaskStatus::Running && entry.containers.empty()) return false;
    const std::shared_ptr<const model::Snapshot> snapshot = board_.current();
    model::TaskStatus sent = lane.sent;
    if (const auto task = snapshot->tasks.find(entry.task.task_arn); task != snapshot->tasks.end()) {
        if (task->second->internal) return false;
        sent = std::max(sent, task->second->sent);
    }
    if (sent < entry.task.status) return true;
    return std::any_of(entry.containers.begin(), entry.containers.end(), [&lane](const model::ContainerStateChange& c) {
        const auto told = lane.containers_sent.find(c.container_name);
        return told == lane.containers_sent.end() || told->second < c.status;
    });
}

model::StateChangeAck StateReporter::ack_of(const Entry& entry, std::string refused) {
    model::StateChangeAck ack;
    ack.task_arn = entry.task.task_arn;
    ack.task_status = entry.task.status;
    for (const model::ContainerStateChange& change : entry.containers) {
        ack.containers.emplace_back(change.container_name, change.status);
    }
    ack.refused = std::move(refused);
    return ack;
}

asio::awaitable<StateReporter::Sent> StateReporter::send(Entry entry) {
    auto request = build_submission(options_.cluster, options_.filter, entry.task, entry.containers);
    if (!request) {
        log::error("a state change cannot be submitted and is dropped",
                   {{"task", entry.task.task_arn}, {"error", request.error().what}});
        ++done_.refused;
        co_return Sent{Verdict::Refused, request.error().what};
    }
    const SendSlots::Slot slot = co_await slots_.acquire();
    pass_before(entry.task.status);
    const auto outcome = co_await api_.submit_task_state_change(std::move(*request));
    if (outcome) {
        pass_answered(entry.task.status);
        ++done_.acknowledged;
        log::info("submitted task state change", {{"task", entry.task.task_arn},
                                                  {"status", model::to_service_word(entry.task.status)},
                                                  {"containers", entry.containers.size()}});
        co_return Sent{Verdict::Acknowledged, {}};
    }
    const net::ServiceError& error = outcome.error();
    const bool refused = error.is("InvalidParameterException");
    ++(refused ? done_.refused : done_.failed);
    if (!refused) count_retry(Retried::StateChange, error.kind);
    std::string why = net::to_error("submit task state change", error).what;
    log::warn(refused ? "ECS refuses a state change for good; it is dropped and the task goes on without it"
                      : "a state change is submitted again later",
              {{"task", entry.task.task_arn}, {"status", model::to_service_word(entry.task.status)}, {"error", why}});
    co_return Sent{refused ? Verdict::Refused : Verdict::TryAgain, std::move(why)};
}

void StateReporter::acknowledge(Lane& lane, const Entry& entry) {
    lane.sent = std::max(lane.sent, entry.task.status);
    for (const model::ContainerStateChange& change : entry.containers) {
        model::ContainerStatus& told = lane.containers_sent[change.container_name];
        told = std::max(told, change.status);
    }
    if (on_ack_) on_ack_(ack_of(entry, {}));
}

asio::awaitable<void> StateReporter::stop(std::chrono::nanoseconds limit) {
    closed_ = true;
    timers_.cancel();
    co_await timers_.drain();
    flush();
    if (work_.size() > 0) timers_.spawn(give_up_after(limit));
    co_await work_.drain();
    timers_.cancel();
    co_await timers_.drain();
}

asio::awaitable<void> StateReporter::give_up_after(std::chrono::nanoseconds limit) {
    co_await clock_.sleep_for(limit);
    log::warn("state changes are left unsent; they are offered again after the restart", {{"queued", queued()}});
    work_.cancel();
}

Submissions StateReporter::submissions() const {
    Submissions all = done_;
    all.queued = queued();
    return all;
}

std::size_t StateReporter::queued() const {
    std::size_t count = 0;
    for (const auto& [arn, lane] : lanes_) count += lane.entries.size();
    return count;
}

}  // namespace nodeagent::ecs
