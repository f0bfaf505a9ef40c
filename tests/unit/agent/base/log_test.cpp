// Log lines, and the files they go to.
#include "agent/base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/base/log_sinks.hpp"
#include "agent/base/rotating_file.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class LogLines : public testing::Test {
  protected:
    LogLines() {
        log::set_sink([this](log::Level, std::string_view line) { lines.emplace_back(line); });
    }
    ~LogLines() override {
        log::set_format(log::Format::Logfmt);
        log::set_level(log::Level::Info);
        log::set_sink([](log::Level, std::string_view) {});
    }
    std::vector<std::string> lines;
};

TEST_F(LogLines, HaveTheReferencesShapeInLogfmt) {
    log::info("Managed \"task\"", {{"taskARN", "arn:aws"}, {"n", 3}, {"ok", true}, {"empty", ""}});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_THAT(lines[0], MatchesRegex(R"(level=info time=[0-9-]+T[0-9:]+Z logger=structured msg="Managed \\"task\\"" )"
                                       R"(taskARN="arn:aws" n=3 ok=true empty="")"));
}

TEST_F(LogLines, AreValidJsonWhateverIsInThem) {
    log::set_format(log::Format::Json);
    log::warn("odd \x01 bytes \xff", {{"path", "C:\\x\n"}, {"n", -1}, {"ratio", 0.5}});
    ASSERT_EQ(lines.size(), 1U);
    const Result<Json> line = parse_json(lines[0]);
    ASSERT_TRUE(line) << lines[0];
    EXPECT_EQ((*line)["level"], "warn");
    EXPECT_EQ((*line)["path"], "C:\\x\n");
    EXPECT_EQ((*line)["n"], -1);
    EXPECT_EQ((*line)["logger"], "structured");
}

TEST_F(LogLines, BelowTheLevelAreDropped) {
    log::set_level(log::Level::Error);
    log::warn("no");
    log::error("yes");
    EXPECT_THAT(lines, ElementsAre(HasSubstr("yes")));
}

class LogFiles : public testing::Test {
  protected:
    LogFiles() {
        options.path = directory / "agent.log";
        options.now = [this] { return now; };
    }

    std::unique_ptr<RotatingFile> open() {
        auto file = RotatingFile::open(options);
        EXPECT_TRUE(file);
        return std::move(*file);
    }
    std::string content(const std::string& name) {
        const Result<std::string> text = read_file(directory / name);
        return text ? *text : "absent";
    }
    std::vector<std::string> names() {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator(directory)) all.push_back(entry.path().filename());
        std::sort(all.begin(), all.end());
        return all;
    }

    fakes::TempDirectory own;
    fs::path directory = own.path();
    RotatingFileOptions options;
    std::chrono::system_clock::time_point now{std::chrono::seconds(1'767'225'600)};  // 2026-01-01T00:00:00Z
};

TEST_F(LogFiles, RollBySizeWithGrowingNumbersAndLoseTheOldest) {
    options.max_bytes = 10;
    options.keep = 2;
    const auto file = open();
    for (const char* line : {"one-one", "two-two", "three-3", "four-44", "five-55"}) EXPECT_TRUE(file->write(line));
    EXPECT_THAT(names(), ElementsAre("agent.log", "agent.log.3", "agent.log.4"));
    EXPECT_EQ(content("agent.log"), "five-55\n");
    EXPECT_EQ(content("agent.log.4"), "four-44\n");
    EXPECT_EQ(content("agent.log.3"), "three-3\n");
}

TEST_F(LogFiles, CountOnAcrossRestartsAndPastNine) {
    ASSERT_TRUE(replace_file(directory / "agent.log.9", "old\n"));
    ASSERT_TRUE(replace_file(directory / "agent.log.10", "newer\n"));
    ASSERT_TRUE(replace_file(directory / "agent.log", "0123456789\n"));
    options.max_bytes = 12;
    options.keep = 2;
    EXPECT_TRUE(open()->write("next"));
    EXPECT_THAT(names(), ElementsAre("agent.log", "agent.log.10", "agent.log.11"));
    EXPECT_EQ(content("agent.log.11"), "0123456789\n");
}

TEST_F(LogFiles, NeverSplitALineHoweverLong) {
    options.max_bytes = 4;
    const auto file = open();
    file->write("longer than the file may be");
    file->write("x");
    EXPECT_EQ(content("agent.log.1"), "longer than the file may be\n");
    EXPECT_EQ(content("agent.log"), "x\n");
}

TEST_F(LogFiles, RollByTheHourThatEnded) {
    options.rollover = Rollover::Hourly;
    options.keep = 1;
    const auto file = open();
    file->write("midnight");
    now += std::chrono::minutes(59);
    file->write("still");
    now += std::chrono::minutes(2);
    file->write("one");
    EXPECT_EQ(content("agent.log.2026-01-01-00"), "midnight\nstill\n");
    EXPECT_EQ(content("agent.log"), "one\n");
    now += std::chrono::hours(5);
    file->write("six");
    EXPECT_THAT(names(), ElementsAre("agent.log", "agent.log.2026-01-01-01"));
}

TEST_F(LogFiles, CreateTheirDirectory) {
    options.path = directory / "a" / "b" / "agent.log";
    EXPECT_TRUE(open()->write("here"));
    EXPECT_EQ(content("a/b/agent.log"), "here\n");
}

TEST_F(LogFiles, KeepTheirOwnLevel) {
    log::SinkOptions sinks;
    sinks.stream_level = log::Level::None;
    sinks.file_level = log::Level::Debug;
    sinks.file = options;
    ASSERT_TRUE(log::install_sinks(sinks));
    log::debug("fine grain");
    ASSERT_TRUE(log::flush(std::chrono::seconds(30)));
    EXPECT_THAT(content("agent.log"), HasSubstr("fine grain"));
    log::set_sink([](log::Level, std::string_view) {});
    log::set_level(log::Level::Info);
}

TEST_F(LogFiles, ThatCannotBeOpenedNameTheirPath) {
    ASSERT_TRUE(replace_file(directory / "file", "x"));
    options.path = directory / "file" / "agent.log";
    const auto file = RotatingFile::open(options);
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().what, HasSubstr((directory / "file").string()));
}

}  // namespace
}  // namespace nodeagent
