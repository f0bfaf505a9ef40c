#include "runtime/containerd/log_counts.hpp"

#include <gtest/gtest.h>

namespace nodeagent::runtime::containerd {
namespace {

logs::LoggerStatus told(const char* began, std::uint64_t lines, std::uint64_t dropped = 0) {
    logs::LoggerStatus status;
    status.began_at = began;
    status.lines = lines;
    status.dropped_lines = dropped;
    return status;
}

TEST(LogCounts, AProgramsCountsAreAddedOnce) {
    LogCounts counts;
    counts.note("a", told("1", 10));
    counts.note("a", told("1", 10));
    counts.note("a", told("1", 25, 3));
    EXPECT_EQ(counts.totals().lines, 25U);
    EXPECT_EQ(counts.totals().dropped_lines, 3U);
}

TEST(LogCounts, ACounterNeverFallsWhenContainersAreRunAgainOrGo) {
    LogCounts counts;
    counts.note("a", told("1", 10));
    counts.note("b", told("1", 5));
    counts.note("a", told("2", 12));  // a run that printed more than the last one
    EXPECT_EQ(counts.totals().lines, 27U);
    counts.forget("a");
    EXPECT_EQ(counts.totals().lines, 27U);
    counts.note("b", told("1", 6));
    EXPECT_EQ(counts.totals().lines, 28U);
}

TEST(LogCounts, BothKindsOfRefusalAreRefusals) {
    LogCounts counts;
    logs::LoggerStatus status = told("1", 9);
    status.rejected_events = 2;
    status.refused_events = 4;
    counts.note("a", status);
    EXPECT_EQ(counts.totals().refused_events, 6U);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
