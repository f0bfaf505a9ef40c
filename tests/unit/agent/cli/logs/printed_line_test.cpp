#include "agent/cli/logs/printed_line.hpp"

#include <gtest/gtest.h>

#include "agent/cli/since.hpp"

namespace nodeagent::cli {
namespace {

const LogLine kLine{.time = 1'767'225'600'500'000'000, .stream = PrintedTo::Stderr, .text = "one\ntwo"};

TEST(PrintedLine, HasTheContainersNameBeforeEachOfItsLines) {
    EXPECT_EQ(printed_line(kLine, "web", {}), "one\ntwo\n");
    EXPECT_EQ(printed_line(kLine, "web", {.name_width = 5}), "web   | one\nweb   | two\n");
    EXPECT_EQ(printed_line(kLine, "sidecar", {.name_width = 5}), "sidecar | one\nsidecar | two\n");
    EXPECT_EQ(printed_line({}, "web", {.name_width = 3}), "web | \n");
}

TEST(PrintedLine, HasItsTimeIfThatIsAskedFor) {
    LogLine line = kLine;
    line.text = "x";
    EXPECT_EQ(printed_line(line, "web", {.timestamps = true}), "2026-01-01T00:00:00.5Z x\n");
    EXPECT_EQ(printed_line(line, "web", {.timestamps = true, .name_width = 3}), "web | 2026-01-01T00:00:00.5Z x\n");
}

TEST(PrintedLine, IsAJsonObjectThatNamesTheStreamIfItIsKnown) {
    EXPECT_EQ(printed_line(kLine, "web", {.json = true, .name_width = 9}),
              R"({"time":"2026-01-01T00:00:00.5Z","container":"web","stream":"stderr","log":"one\ntwo"})"
              "\n");
    LogLine line = kLine;
    line.stream = PrintedTo::Unknown;
    line.text = "\xff\x1b";
    EXPECT_EQ(printed_line(line, "web", {.json = true}),
              "{\"time\":\"2026-01-01T00:00:00.5Z\",\"container\":\"web\",\"log\":\"\uFFFD\\u001b\"}\n");
}

TEST(PrintedLine, IsRawInAFileAndEscapedOnATerminal) {
    LogLine line = kLine;
    line.text = "a\tb\x1b[2J\xff\rc\u00fc\x07 \u009b";
    EXPECT_EQ(printed_line(line, "", {}), line.text + "\n");
    EXPECT_EQ(printed_line(line, "", {.terminal = true}), "a\tb\\x1b[2J\\xff\\rc\u00fc\\x07 \\x9b\n");
}

TEST(PrintedLine, LosesTheCarriageReturnBeforeANewlineOnATerminalOnly) {
    EXPECT_EQ(escaped_for_terminal("one\r\ntwo\r"), "one\ntwo");
    EXPECT_EQ(escaped_for_terminal("\xc3"), "\\xc3") << "a character that was cut";
    EXPECT_EQ(escaped_for_terminal("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
}

TEST(Since, IsASpanBeforeNowOrAMoment) {
    const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1000));
    EXPECT_EQ(since_time("", now), 0);
    EXPECT_EQ(since_time("10m", now), 400'000'000'000);
    EXPECT_EQ(since_time("1h", now), 0) << "not before time began";
    EXPECT_EQ(since_time("1970-01-01T00:00:01.5Z", now), 1'500'000'000);
    EXPECT_FALSE(since_time("yesterday", now));
    EXPECT_FALSE(since_time("-5m", now));
}

}  // namespace
}  // namespace nodeagent::cli
