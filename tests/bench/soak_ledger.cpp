#include "tests/bench/soak_ledger.hpp"

#include <algorithm>

namespace nodeagent::soak {

namespace {
constexpr std::size_t kViolationsKept = 20;
}

void Delays::add(std::chrono::nanoseconds delay) {
    const auto whole = std::chrono::duration_cast<milliseconds>(delay).count();
    ++buckets_[static_cast<std::size_t>(std::clamp<std::int64_t>(whole, 0, 60'000))];
    ++count_;
}

std::optional<milliseconds> Delays::percentile(double share) const {
    if (count_ == 0) return std::nullopt;
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen >= std::max<std::uint64_t>(wanted, 1)) return milliseconds(i);
    }
    return milliseconds(60'000);
}

void Ledger::begin(const std::string& arn, const Expectation& expected, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    Entry entry;
    entry.expected = expected;
    entry.begun = now;
    entries_.emplace(arn, std::move(entry));
    ++tally_.begun;
}

void Ledger::complain(const std::string& arn, const Entry* entry, const std::string& what) {
    ++tally_.violations;
    if (first_violations_.size() >= kViolationsKept) return;
    first_violations_.push_back(arn + (entry == nullptr ? "" : " (" + entry->expected.kind + ")") + ": " + what);
}

void Ledger::violation(const std::string& what) {
    const std::lock_guard lock(mutex_);
    complain("soak", nullptr, what);
}

void Ledger::book(const nlohmann::json& submission, SteadyTime now, bool answered) {
    const std::lock_guard lock(mutex_);
    const std::string arn = submission.value("task", "");
    const auto found = entries_.find(arn);
    if (found == entries_.end()) return complain(arn, nullptr, "a change of a task unknown or long over");
    Entry& entry = found->second;
    const auto again = std::find(entry.unanswered.begin(), entry.unanswered.end(), submission);
    if (again != entry.unanswered.end()) {
        ++tally_.repeats;
        if (answered) entry.unanswered.erase(again);
        return;
    }
    if (!answered) entry.unanswered.push_back(submission);
    if (entry.task.stopped) complain(arn, &entry, "a change after STOPPED: " + submission.dump());
    const auto containers = submission.find("containers");
    if (containers != submission.end() && containers->is_array()) {
        for (const nlohmann::json& change : *containers) book_container(arn, entry, change);
    }
    book_task(arn, entry, submission, now);
}

void Ledger::book_container(const std::string& arn, Entry& entry, const nlohmann::json& change) {
    ++tally_.changes;
    const std::string name = change.value("containerName", "");
    const std::string status = change.value("status", "");
    const auto expected = entry.expected.containers.find(name);
    if (expected == entry.expected.containers.end()) return complain(arn, &entry, "unknown container " + name);
    Told& told = entry.containers[name];
    if (status == "PENDING") {  // its image's manifest is known
        if (told.pending) complain(arn, &entry, name + " PENDING twice");
        if (told.running || told.stopped) complain(arn, &entry, name + " PENDING too late");
        told.pending = true;
        return;
    }
    if (status == "RUNNING") {
        if (told.running) complain(arn, &entry, name + " RUNNING twice");
        if (told.stopped) complain(arn, &entry, name + " RUNNING after STOPPED");
        told.running = true;
        return;
    }
    if (status != "STOPPED") return complain(arn, &entry, name + " has the status " + status);
    if (told.stopped) complain(arn, &entry, name + " STOPPED twice");
    told.stopped = true;
    const ContainerEnd& end = expected->second;
    if (end.exit_code) {
        const auto code = change.find("exitCode");
        if (code == change.end() || *code != *end.exit_code) {
            complain(arn, &entry, name + " ends otherwise than scripted: " + change.dump());
        }
    }
    if (!end.error.empty() && !change.value("reason", "").starts_with(end.error)) {
        complain(arn, &entry, name + " has not the reason " + end.error + ": " + change.dump());
    }
}

void Ledger::book_task(const std::string& arn, Entry& entry, const nlohmann::json& submission, SteadyTime now) {
    const std::string status = submission.value("status", "");
    if (status == "RUNNING") {
        // a RUNNING again may bring container changes along, but nothing else
        const bool brings = submission.contains("containers") && !submission["containers"].empty();
        if (entry.task.running && !brings) complain(arn, &entry, "RUNNING twice");
        if (!entry.expected.may_run) complain(arn, &entry, "RUNNING though it cannot run");
        if (entry.task.running) return;
        ++tally_.changes;
        ++tally_.ran;
        entry.task.running = true;
        if (entry.expected.prompt) delays_.add(now - entry.begun);
        return;
    }
    if (status != "STOPPED") {
        // what is told of the containers of a task that does not run yet
        if (status != "PENDING" || entry.task.running) complain(arn, &entry, "a change to " + status);
        if (!submission.contains("containers") || submission["containers"].empty()) {
            complain(arn, &entry, "an empty change to " + status);
        }
        return;
    }
    ++tally_.changes;
    if (entry.task.stopped) return;  // complained about already
    entry.task.stopped = true;
    entry.ended = now;
    ended_.push_back(arn);
    ++tally_.finished;
    ++tally_.by_kind[entry.expected.kind];
    if (entry.expected.must_run && !entry.task.running) complain(arn, &entry, "STOPPED without RUNNING");
    if (submission.value("reason", "").find(entry.expected.reason) == std::string::npos) {
        complain(arn, &entry, "the reason lacks \"" + entry.expected.reason + "\": " + submission.dump());
    }
    check_end(arn, entry);
}

void Ledger::check_end(const std::string& arn, const Entry& entry) {
    for (const auto& [name, end] : entry.expected.containers) {
        const auto told = entry.containers.find(name);
        const bool reported = told != entry.containers.end() && told->second.stopped;
        // of a container that never was there the service need not hear
        const bool was_there = end.exit_code || !end.error.empty() || entry.task.running;
        if (!reported && was_there) complain(arn, &entry, "STOPPED without the end of " + name);
        if (entry.task.running && (told == entry.containers.end() || !told->second.running) && end.exit_code) {
            complain(arn, &entry, name + " ended without having been RUNNING");
        }
    }
}

void Ledger::sweep(SteadyTime now, std::chrono::seconds keep, std::chrono::seconds limit) {
    const std::lock_guard lock(mutex_);
    while (!ended_.empty()) {
        const auto found = entries_.find(ended_.front());
        if (found != entries_.end() && *found->second.ended > now - keep) break;
        if (found != entries_.end()) entries_.erase(found);
        ended_.pop_front();
    }
    for (auto& [arn, entry] : entries_) {
        if (entry.ended || entry.late_noted || entry.begun > now - limit) continue;
        entry.late_noted = true;
        complain(arn, &entry, "not over after " + std::to_string(limit.count()) + " s");
    }
}

bool Ledger::running(const std::string& arn) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(arn);
    return found == entries_.end() || found->second.task.running || found->second.task.stopped;
}

bool Ledger::stopped(const std::string& arn) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(arn);
    return found == entries_.end() || found->second.task.stopped;
}

Tally Ledger::tally() const {
    const std::lock_guard lock(mutex_);
    return tally_;
}

std::vector<std::string> Ledger::first_violations() const {
    const std::lock_guard lock(mutex_);
    return first_violations_;
}

std::vector<std::string> Ledger::unfinished() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& [arn, entry] : entries_) {
        if (!entry.ended) found.push_back(arn + " (" + entry.expected.kind + ")");
    }
    return found;
}

std::optional<milliseconds> Ledger::accept_to_running(double share) const {
    const std::lock_guard lock(mutex_);
    return delays_.percentile(share);
}

}  // namespace nodeagent::soak
