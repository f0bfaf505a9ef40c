#include "agent/telemetry/sample_window.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nodeagent::telemetry {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kBegin{1'767'225'600s};

Sample at(std::chrono::nanoseconds when, std::uint64_t cpu_ns = 0, std::uint32_t memory = 0) {
    Sample sample;
    sample.read = kBegin + std::chrono::duration_cast<WallTime::duration>(when);
    sample.cpu_ns = cpu_ns;
    sample.memory_mib = memory;
    return sample;
}

Sample with_network(std::chrono::nanoseconds when, std::uint64_t received, std::uint64_t sent) {
    Sample sample = at(when);
    sample.network = NetworkCounters{.rx_bytes = received, .tx_bytes = sent};
    return sample;
}

Sample with_restarts(std::chrono::nanoseconds when, std::optional<std::int64_t> restarts) {
    Sample sample = at(when);
    sample.restarts = restarts;
    return sample;
}

TEST(SampleWindow, OneSampleMakesNoSet) {
    SampleWindow window(80);
    window.add(at(0s, 0, 5));
    EXPECT_FALSE(window.memory());
    EXPECT_FALSE(window.cpu());
    EXPECT_FALSE(window.storage().complete);
    EXPECT_FALSE(window.network().complete);
}

TEST(SampleWindow, CpuIsAPercentageOfTheWholeMachineAndLacksTheFirstSample) {
    SampleWindow window(80);
    window.add(at(0s, 0, 10));
    window.add(at(1s, 500'000'000, 12));
    window.add(at(2s, 600'000'000, 11));
    const auto cpu = window.cpu();
    ASSERT_TRUE(cpu);
    EXPECT_EQ(cpu->sample_count, 2);
    EXPECT_DOUBLE_EQ(cpu->max, 50);
    EXPECT_DOUBLE_EQ(cpu->min, 10);
    EXPECT_DOUBLE_EQ(cpu->sum, 60);
    const auto memory = window.memory();
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->sample_count, 3);
    EXPECT_DOUBLE_EQ(memory->sum, 33);
}

TEST(SampleWindow, CountsInThirtyTwoBitFloats) {
    SampleWindow window(80);
    window.add(at(0s, 0));
    window.add(at(1'000'000'123ns, 33'333'333));
    EXPECT_EQ(window.cpu()->sum, static_cast<double>((100 * 33'333'333.0F) / 1'000'000'123.0F));
    EXPECT_NE(window.cpu()->sum, 100.0 * 33'333'333.0 / 1'000'000'123.0);
}

TEST(SampleWindow, WhatWasToldIsNotToldAgainButCountsAsTheSampleBefore) {
    SampleWindow window(80);
    window.add(at(0s, 0, 1));
    window.add(at(1s, 100'000'000, 2));
    window.mark_told();
    EXPECT_FALSE(window.memory()) << "nothing new";
    window.add(at(2s, 300'000'000, 3));
    const auto cpu = window.cpu();
    ASSERT_TRUE(cpu);
    EXPECT_EQ(cpu->sample_count, 1);
    EXPECT_DOUBLE_EQ(cpu->sum, 20);
    EXPECT_DOUBLE_EQ(window.memory()->sum, 3);
}

TEST(SampleWindow, ADuplicateTimestampRepeatsThePercentage) {
    SampleWindow window(80);
    window.add(at(0s, 0));
    window.add(at(1s, 250'000'000));
    window.add(at(1s, 900'000'000));
    EXPECT_DOUBLE_EQ(window.cpu()->sum, 50);
}

TEST(SampleWindow, ACounterThatWentBackWrapsAsTheReferencesDoes) {
    SampleWindow window(80);
    window.add(at(0s, 10));
    window.add(at(1s, 0));
    EXPECT_FLOAT_EQ(window.last_cpu_percent(), 100 * 18446744073709551606.0F / 1e9F);
}

TEST(SampleWindow, BeyondItsCapacityTheOldestSampleGoes) {
    SampleWindow window(3);
    for (std::uint32_t i = 0; i < 5; ++i) window.add(at(std::chrono::seconds(i), 0, i));
    EXPECT_EQ(window.samples(), 3U);
    const auto memory = window.memory();
    ASSERT_TRUE(memory);
    EXPECT_DOUBLE_EQ(memory->min, 2);
    EXPECT_DOUBLE_EQ(memory->max, 4);
}

TEST(SampleWindow, CountersAreToldAsTheyStandAndWhatDoesNotFitApart) {
    SampleWindow window(80);
    Sample big = at(0s);
    big.read_bytes = std::uint64_t{1} << 63U;
    window.add(big);
    big.read = kBegin + 1s;
    big.write_bytes = 7;
    window.add(big);
    const auto storage = window.storage();
    EXPECT_TRUE(storage.complete);
    const auto& reads = *storage.set.read_size_bytes;
    EXPECT_EQ(reads.max, std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(reads.overflow_max, 1);
    EXPECT_EQ(reads.sum, 0) << "the sum wraps at 2^64";
    EXPECT_EQ(reads.sample_count, 2);
    EXPECT_EQ(storage.set.write_size_bytes->min, 0);
    EXPECT_EQ(storage.set.write_size_bytes->sum, 7);
}

TEST(SampleWindow, NetworkRatesAreBetweenTwoSamples) {
    SampleWindow window(80);
    window.add(with_network(0s, 1000, 10));
    EXPECT_FALSE(window.last_rates());
    window.add(with_network(2s, 2000, 10));
    ASSERT_TRUE(window.last_rates());
    EXPECT_FLOAT_EQ(window.last_rates()->received, 500);
    EXPECT_FLOAT_EQ(window.last_rates()->sent, 0);
    const auto network = window.network();
    EXPECT_TRUE(network.complete);
    EXPECT_EQ(network.set.rx_bytes->sum, 3000);
    EXPECT_EQ(network.set.rx_bytes_per_second->sample_count, 1);
    EXPECT_DOUBLE_EQ(network.set.rx_bytes_per_second->sum, 500);
}

TEST(SampleWindow, ANetworkThatAppearsHasNoRateYet) {
    SampleWindow window(80);
    window.add(at(0s));
    EXPECT_FALSE(window.last_rates());
    window.add(with_network(1s, 5, 5));
    ASSERT_TRUE(window.last_rates());
    EXPECT_TRUE(std::isnan(window.last_rates()->received));
    window.add(with_network(2s, 10, 5));
    EXPECT_FLOAT_EQ(window.last_rates()->received, 5);
}

TEST(SampleWindow, WithoutNetworkRatesStayUnknown) {
    SampleWindow window(80);
    window.add(at(0s));
    window.add(at(1s));
    EXPECT_FALSE(window.last_rates());
}

// the examples of stats.md 5
TEST(SampleWindow, RestartsAreTheDifferenceToWhatWasToldLast) {
    SampleWindow all_new(80);
    for (const int count : {0, 1, 3, 3, 4, 5}) all_new.add(with_restarts(std::chrono::seconds(count), count));
    EXPECT_EQ(all_new.restarts()->restart_count, 5);

    SampleWindow partly(80);
    for (const int count : {0, 1, 3}) partly.add(with_restarts(std::chrono::seconds(count), count));
    partly.mark_told();
    for (const int count : {4, 5, 7}) partly.add(with_restarts(std::chrono::seconds(count), count));
    EXPECT_EQ(partly.restarts()->restart_count, 4);
}

TEST(SampleWindow, WithoutARestartPolicyThereIsNoRestartSet) {
    SampleWindow window(80);
    window.add(with_restarts(0s, std::nullopt));
    window.add(with_restarts(1s, std::nullopt));
    EXPECT_FALSE(window.restarts());
    window.mark_told();
    window.add(with_restarts(2s, 4));
    EXPECT_FALSE(window.restarts()) << "the sample before it has no count";
    window.add(with_restarts(3s, 6));
    EXPECT_EQ(window.restarts()->restart_count, 2);
    window.mark_told();
    window.add(with_restarts(4s, 1));
    EXPECT_FALSE(window.restarts()) << "fewer than before";
}

TEST(SampleOf, TakesTheSharesTheSetsAreMadeOf) {
    using Operation = cgroups::IoStatistics::Operation;
    Usage usage;
    usage.read = kBegin;
    usage.cgroup.cpu.usage_ns = 1'000'000'007;
    usage.cgroup.memory.usage = 3 * 1048576 + 5;
    usage.cgroup.io.bytes = {{8, 0, Operation::Read, 10}, {8, 0, Operation::Write, 20}, {8, 16, Operation::Read, 1}};
    usage.interfaces = {{"eth0", {.rx_bytes = 1}}, {"eth1", {.rx_bytes = 2, .tx_dropped = 3}}};
    const Sample sample = sample_of(usage, cgroups::Version::V2, 2, 9);
    EXPECT_EQ(sample.cpu_ns, 500'000'003U);
    EXPECT_EQ(sample.memory_mib, 3U);
    EXPECT_EQ(sample.read_bytes, 11U);
    EXPECT_EQ(sample.write_bytes, 20U);
    EXPECT_EQ(sample.network->rx_bytes, 3U);
    EXPECT_EQ(sample.network->tx_dropped, 3U);
    EXPECT_EQ(sample.restarts, 9);
    usage.interfaces.clear();
    EXPECT_FALSE(sample_of(usage, cgroups::Version::V2, 0, std::nullopt).network);
}

}  // namespace
}  // namespace nodeagent::telemetry
