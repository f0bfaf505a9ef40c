#include "agent/base/time_format.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;

TEST(TimeFormat, WritesNanosecondsWithoutTrailingZeros) {
    const auto base = parse_rfc3339("2026-02-03T04:05:06Z").value();
    EXPECT_EQ(rfc3339_nanos(base), "2026-02-03T04:05:06Z");
    EXPECT_EQ(rfc3339_nanos(base + 120ms), "2026-02-03T04:05:06.12Z");
    EXPECT_EQ(rfc3339_nanos(base + 123456789ns), "2026-02-03T04:05:06.123456789Z");
    EXPECT_EQ(rfc3339_nanos(base + 1ns), "2026-02-03T04:05:06.000000001Z");
}

TEST(TimeFormat, ReadsWhatItWritesAndWhatDockerWrites) {
    for (const char* text : {"2026-02-03T04:05:06.123456789Z", "1999-12-31T23:59:59Z", "2100-02-28T00:00:00.5Z"}) {
        const auto when = parse_rfc3339(text);
        ASSERT_TRUE(when) << text;
        EXPECT_EQ(rfc3339_nanos(*when), text);
    }
    EXPECT_EQ(parse_rfc3339("2026-02-03T06:05:06+02:00"), parse_rfc3339("2026-02-03T04:05:06Z"));
}

TEST(TimeFormat, CallsDockersZeroTimeNothing) { EXPECT_FALSE(parse_rfc3339("0001-01-01T00:00:00Z")); }

TEST(TimeFormat, RefusesMalformedTimestamps) {
    for (const char* text : {"", "2026", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00", "2026-01-01T00:00:00",
                             "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", "2026-01-01T25:00:00Z"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

TEST(TimeFormat, WritesDurationsAsGoDoes) {
    EXPECT_EQ(go_duration(45s), "45s");
    EXPECT_EQ(go_duration(3min), "3m0s");
    EXPECT_EQ(go_duration(2h), "2h0m0s");
    EXPECT_EQ(go_duration(1500ms), "1.5s");
    EXPECT_EQ(go_duration(250ms), "250ms");
    EXPECT_EQ(go_duration(0s), "0s");
    EXPECT_EQ(go_duration(-90s), "-1m30s");
    EXPECT_EQ(go_duration(std::chrono::nanoseconds::min()), "-2562047h47m16.854775808s");
}

TEST(TimeFormat, WritesTheFirstAndTheLastMomentThereIs) {
    EXPECT_EQ(rfc3339_nanos(std::chrono::system_clock::time_point::min()), "1677-09-21T00:12:43.145224192Z");
    EXPECT_EQ(rfc3339_nanos(std::chrono::system_clock::time_point::max()), "2262-04-11T23:47:16.854775807Z");
}

TEST(TimeFormat, ReadsDurationsAsGoDoes) {
    EXPECT_EQ(parse_go_duration("1h30m"), 90min);
    EXPECT_EQ(parse_go_duration("1.5h"), 90min);
    EXPECT_EQ(parse_go_duration("10s"), 10s);
    EXPECT_EQ(parse_go_duration("250ms"), 250ms);
    EXPECT_EQ(parse_go_duration("-2s"), -2s);
    EXPECT_EQ(parse_go_duration("0"), 0s);
    for (const char* text : {"", "10", "s", "1x", "1.2.3s", "1h 2m", "."})
        EXPECT_FALSE(parse_go_duration(text)) << text;
}

TEST(TimeFormat, CutsEpochSecondsToMilliseconds) {
    EXPECT_DOUBLE_EQ(epoch_seconds(parse_rfc3339("2026-01-01T00:00:00.1239Z").value()), 1767225600.123);
}

}  // namespace
}  // namespace nodeagent
