#include "agent/telemetry/sample_window.hpp"

#include <algorithm>
#include <cmath>

namespace nodeagent::telemetry {

namespace {

using model::CwStatsSet;
using model::NetworkStatsSet;
using model::ULongStatsSet;

constexpr std::uint64_t kMebibyte = 1048576;
constexpr std::uint64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();

Error too_few() { return {.kind = ErrorKind::NotFound, .what = "statistics: not enough samples yet"}; }

// What does not fit into a signed number is told apart.
struct Capped {
    std::int64_t value = 0;
    std::int64_t overflow = 0;
    explicit Capped(std::uint64_t counter)
        : value(static_cast<std::int64_t>(std::min(counter, kMaxInt64))),
          overflow(counter > kMaxInt64 ? static_cast<std::int64_t>(counter % kMaxInt64) : 0) {}
};

float per_second(std::uint64_t now, std::uint64_t before, float nanoseconds) {
    return 1e9F * (static_cast<float>(now - before) / nanoseconds);
}

}  // namespace

Sample sample_of(const Usage& usage, cgroups::Version version, unsigned cpus, std::optional<std::int64_t> restarts) {
    using Operation = cgroups::IoStatistics::Operation;
    Sample sample;
    sample.read = usage.read;
    sample.cpu_ns = usage.cgroup.cpu.usage_ns / std::max(cpus, 1U);
    sample.memory_mib = static_cast<std::uint32_t>(usage.cgroup.memory.working_set(version) / kMebibyte);
    sample.read_bytes = usage.cgroup.io.bytes_of(Operation::Read);
    sample.write_bytes = usage.cgroup.io.bytes_of(Operation::Write);
    if (!usage.interfaces.empty()) sample.network = usage.network();
    sample.restarts = restarts;
    return sample;
}

const SampleWindow::Entry* SampleWindow::last() const {
    if (!untold_.empty()) return &untold_.back();
    return last_told_ ? &*last_told_ : nullptr;
}

float SampleWindow::last_cpu_percent() const {
    const Entry* const entry = last();
    return entry == nullptr ? std::numeric_limits<float>::quiet_NaN() : entry->cpu_percent;
}

void SampleWindow::add(const Sample& sample) {
    Entry entry;
    entry.sample = sample;
    if (const Entry* const before = last(); before != nullptr) {
        const auto step = std::chrono::nanoseconds(sample.read - before->sample.read).count();
        const bool networks = sample.network && before->sample.network;
        if (step <= 0) {
            entry.cpu_percent = before->cpu_percent;
            if (networks) entry.rates = before->rates;
        } else {
            const auto elapsed = static_cast<float>(step);
            entry.cpu_percent = (100 * static_cast<float>(sample.cpu_ns - before->sample.cpu_ns)) / elapsed;
            if (networks) {
                entry.rates.received =
                    per_second(sample.network->rx_bytes, before->sample.network->rx_bytes, elapsed);
                entry.rates.sent = per_second(sample.network->tx_bytes, before->sample.network->tx_bytes, elapsed);
            }
        }
        if (sample.network) last_rates_ = entry.rates;
    }
    if (samples() >= capacity_) {
        if (told_ > 0) {
            if (--told_ == 0) last_told_.reset();
        } else {
            untold_.erase(untold_.begin());
        }
    }
    untold_.push_back(std::move(entry));
}

void SampleWindow::mark_told() {
    if (untold_.empty()) return;
    told_ += untold_.size();
    last_told_ = std::move(untold_.back());
    untold_.clear();
}

template <class Value>
Result<CwStatsSet> SampleWindow::doubles(Value value) const {
    if (samples() < 2) return too_few();
    CwStatsSet set;
    for (const Entry& entry : untold_) {
        const double one = value(entry);
        if (std::isnan(one)) continue;
        set.max = set.sample_count == 0 ? one : std::max(set.max, one);
        set.min = set.sample_count == 0 ? one : std::min(set.min, one);
        set.sum += one;
        ++set.sample_count;
    }
    if (set.sample_count == 0) return too_few();
    return set;
}

template <class Value>
Result<ULongStatsSet> SampleWindow::counters(Value value) const {
    if (samples() < 2 || untold_.empty()) return too_few();
    std::uint64_t max = 0;
    std::uint64_t min = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t sum = 0;
    for (const Entry& entry : untold_) {
        const std::uint64_t one = value(entry);
        max = std::max(max, one);
        min = std::min(min, one);
        sum += one;
    }
    ULongStatsSet set;
    set.max = Capped(max).value;
    set.overflow_max = Capped(max).overflow;
    set.min = Capped(min).value;
    set.overflow_min = Capped(min).overflow;
    set.sum = Capped(sum).value;
    set.overflow_sum = Capped(sum).overflow;
    set.sample_count = static_cast<std::int64_t>(untold_.size());
    return set;
}

Result<CwStatsSet> SampleWindow::cpu() const {
    return doubles([](const Entry& entry) { return static_cast<double>(entry.cpu_percent); });
}

Result<CwStatsSet> SampleWindow::memory() const {
    return doubles([](const Entry& entry) { return static_cast<double>(entry.sample.memory_mib); });
}

SampleWindow::Storage SampleWindow::storage() const {
    Storage found;
    auto reads = counters([](const Entry& entry) { return entry.sample.read_bytes; });
    auto writes = counters([](const Entry& entry) { return entry.sample.write_bytes; });
    found.complete = reads && writes;
    if (reads) found.set.read_size_bytes = *reads;
    if (writes) found.set.write_size_bytes = *writes;
    return found;
}

SampleWindow::Network SampleWindow::network() const {
    Network found{.set = {}, .complete = true};
    const auto count = [&](std::optional<ULongStatsSet>& into, std::uint64_t NetworkCounters::*member) {
        auto set = counters([member](const Entry& entry) {
            return entry.sample.network ? (*entry.sample.network).*member : std::uint64_t{0};
        });
        found.complete = found.complete && set.has_value();
        if (set) into = *set;
    };
    const auto rate = [&](std::optional<CwStatsSet>& into, float Rates::*member) {
        auto set = doubles([member](const Entry& entry) {
            return entry.sample.network ? static_cast<double>(entry.rates.*member) : 0.0;
        });
        found.complete = found.complete && set.has_value();
        if (set) into = *set;
    };
    count(found.set.rx_bytes, &NetworkCounters::rx_bytes);
    rate(found.set.rx_bytes_per_second, &Rates::received);
    count(found.set.rx_dropped, &NetworkCounters::rx_dropped);
    count(found.set.rx_errors, &NetworkCounters::rx_errors);
    count(found.set.rx_packets, &NetworkCounters::rx_packets);
    count(found.set.tx_bytes, &NetworkCounters::tx_bytes);
    rate(found.set.tx_bytes_per_second, &Rates::sent);
    count(found.set.tx_dropped, &NetworkCounters::tx_dropped);
    count(found.set.tx_errors, &NetworkCounters::tx_errors);
    count(found.set.tx_packets, &NetworkCounters::tx_packets);
    return found;
}

std::optional<model::RestartStatsSet> SampleWindow::restarts() const {
    if (samples() < 2 || untold_.empty()) return std::nullopt;
    const std::optional<std::int64_t> last_count = untold_.back().sample.restarts;
    std::optional<std::int64_t> first;
    for (std::size_t i = 0; i < untold_.size() && !first; ++i) {
        if (!untold_[i].sample.restarts) continue;
        const Entry* const before = i > 0 ? &untold_[i - 1] : last_told_ ? &*last_told_ : nullptr;
        first = before == nullptr ? untold_[i].sample.restarts : before->sample.restarts;
    }
    if (!first || !last_count || *last_count < *first) return std::nullopt;
    return model::RestartStatsSet{.restart_count = *last_count - *first};
}

}  // namespace nodeagent::telemetry
