#pragma once
// What was sampled of one container since the service was last told, and the statistic sets over it. The arithmetic is
// the reference's to the bit: 32-bit floats, cumulative counters, order of additions (stats.md 4 and 5). Pure.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/model/tcs_messages.hpp"
#include "agent/telemetry/usage.hpp"

namespace nodeagent::telemetry {

/// Of one reading, what the sets are made of.
struct Sample {
    WallTime read{};
    std::uint64_t cpu_ns = 0;      ///< divided by the number of CPUs
    std::uint32_t memory_mib = 0;  ///< working set, cut off
    std::uint64_t read_bytes = 0;  ///< from storage
    std::uint64_t write_bytes = 0;
    std::optional<NetworkCounters> network;
    std::optional<std::int64_t> restarts;  ///< only with a restart policy
};

/// `cpus`: those the agent may run on, at least 1.
[[nodiscard]] Sample sample_of(const Usage& usage, cgroups::Version version, unsigned cpus,
                               std::optional<std::int64_t> restarts);

/// Bytes per second; NaN when the sample before had no network or there was none.
struct Rates {
    float received = std::numeric_limits<float>::quiet_NaN();
    float sent = std::numeric_limits<float>::quiet_NaN();
};

class SampleWindow {
  public:
    /// As many samples as the reference keeps, told and untold (stats.md 1); at least 1.
    explicit SampleWindow(std::size_t capacity) : capacity_(capacity) {}

    void add(const Sample& sample);
    /// Every sample has been told to the service.
    void mark_told();

    /// The sets over what was not told yet. NotFound: fewer than two samples, or none of them has a value.
    [[nodiscard]] Result<model::CwStatsSet> cpu() const;
    [[nodiscard]] Result<model::CwStatsSet> memory() const;
    struct Storage {
        model::StorageStatsSet set;
        bool complete = false;
    };
    [[nodiscard]] Storage storage() const;
    struct Network {
        model::NetworkStatsSet set;
        bool complete = false;
    };
    [[nodiscard]] Network network() const;
    [[nodiscard]] std::optional<model::RestartStatsSet> restarts() const;

    /// Between the last two samples; nothing before there are two, or while there is no network.
    [[nodiscard]] const std::optional<Rates>& last_rates() const { return last_rates_; }
    /// Percent of the whole machine between the last two samples; NaN before.
    [[nodiscard]] float last_cpu_percent() const;
    [[nodiscard]] std::size_t samples() const { return told_ + untold_.size(); }

  private:
    struct Entry {
        Sample sample;
        float cpu_percent = std::numeric_limits<float>::quiet_NaN();
        Rates rates;
    };
    [[nodiscard]] const Entry* last() const;
    template <class Value>
    [[nodiscard]] Result<model::CwStatsSet> doubles(Value value) const;
    template <class Value>
    [[nodiscard]] Result<model::ULongStatsSet> counters(Value value) const;

    std::size_t capacity_;
    std::size_t told_ = 0;           ///< told samples that the reference would still hold
    std::optional<Entry> last_told_;  ///< the newest of them: all that is needed of them
    std::vector<Entry> untold_;
    std::optional<Rates> last_rates_;
};

}  // namespace nodeagent::telemetry
