#include "agent/cli/logs/json_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "agent/base/gzip_writer.hpp"
#include "agent/cli/logs/json_lines.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/unit/agent/cli/logs/run_on.hpp"

namespace nodeagent::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Of the second `time` after the epoch.
std::string stored(const std::string& text, int time, const std::string& stream = "stdout") {
    char when[64];
    std::snprintf(when, sizeof when, "1970-01-01T00:%02d:%02d.000000000Z", time / 60, time % 60);
    return R"({"log":")" + text + R"(","stream":")" + stream + R"(","time":")" + when + "\"}\n";
}
std::string whole(const std::string& text, int time) { return stored(text + "\\n", time); }

std::vector<std::string> texts(const std::vector<LogLine>& lines) {
    std::vector<std::string> out;
    for (const LogLine& line : lines) out.push_back(line.text);
    return out;
}

TEST(JsonLines, PutsPartsOfALongLineTogetherAndStreamsApart) {
    JsonLines decoder;
    std::vector<LogLine> lines;
    decoder.feed(stored("a", 1) + stored("oops\\n", 2, "stderr") + stored("b", 3) + stored("c\\n", 4), lines);
    ASSERT_THAT(texts(lines), ElementsAre("oops", "abc"));
    EXPECT_EQ(lines[0].stream, PrintedTo::Stderr);
    EXPECT_EQ(lines[1].stream, PrintedTo::Stdout);
    EXPECT_EQ(lines[1].time, 1'000'000'000) << "a line has the time of its begin";
}

TEST(JsonLines, TakesBytesAsTheyComeAndLeavesOutWhatIsDamaged) {
    JsonLines decoder;
    std::vector<LogLine> lines;
    const std::string text = whole("one", 1) + "{\"log\":\"tw\n" + whole("three", 3);
    for (const char byte : text) decoder.feed(std::string_view(&byte, 1), lines);
    EXPECT_THAT(texts(lines), ElementsAre("one", "three"));
    EXPECT_EQ(decoder.damaged(), 1U);
}

class JsonFileTest : public testing::Test {
  protected:
    void write(const std::string& name, const std::string& content) const {
        std::ofstream(directory + "/" + name, std::ios::app | std::ios::binary) << content;
    }
    void write_compressed(const std::string& name, const std::string& content) const {
        GzipWriter writer;
        writer.append(content);
        write(name, writer.finish());
    }
    void rename(const std::string& from, const std::string& to) const {
        std::filesystem::rename(directory + "/" + from, directory + "/" + to);
    }
    void open(LogWindow window = {}) { source = json_file_source(directory + "/log", window); }
    std::vector<std::string> read(Reading reading = Reading::Live) {
        std::vector<std::string> out;
        for (;;) {
            const auto lines = test::run_on(io, source->read(reading));
            if (!lines) {
                out.push_back("error: " + lines.error().what);
                return out;
            }
            if (lines->empty()) return out;
            for (const std::string& text : texts(*lines)) out.push_back(text);
        }
    }

    fakes::TempDirectory directory;
    asio::io_context io;
    std::unique_ptr<LogSource> source;
};

TEST_F(JsonFileTest, ReadsWhatWasRotatedAwayFirst) {
    write_compressed("log.3.gz", whole("1", 1) + whole("2", 2));
    write("log.2", whole("3", 3));
    write("log.1", whole("4", 4));
    write("log", whole("5", 5));
    open();
    EXPECT_THAT(read(Reading::History), ElementsAre("1", "2", "3", "4", "5"));
}

TEST_F(JsonFileTest, SaysThatTheFileIsNotThereYetAndReadsItOnceItIs) {
    open();
    const auto none = test::run_on(io, source->read(Reading::Live));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, ErrorKind::NotFound);
    write("log", whole("first", 1));
    EXPECT_THAT(read(), ElementsAre("first"));
    write("log", whole("second", 2));
    EXPECT_THAT(read(), ElementsAre("second"));
}

TEST_F(JsonFileTest, FollowsOverARotationAndReadsWhatCameBeforeIt) {
    write("log", whole("1", 1));
    open();
    EXPECT_THAT(read(), ElementsAre("1"));
    write("log", whole("2", 2));
    rename("log", "log.1");
    write("log", whole("3", 3));
    EXPECT_THAT(read(), ElementsAre("2", "3"));
}

TEST_F(JsonFileTest, FollowsOverSeveralRotationsAtOnce) {
    write("log", whole("1", 1));
    open();
    EXPECT_THAT(read(), ElementsAre("1"));
    rename("log", "log.3");
    write("log.2", whole("2", 2));
    write("log.1", whole("3", 3));
    write("log", whole("4", 4));
    EXPECT_THAT(read(), ElementsAre("2", "3", "4"));
}

TEST_F(JsonFileTest, KnowsWhatItHasReadThoughItWasCompressedSince) {
    const std::string first = whole("1", 1) + whole("2", 2) + whole("3", 2);
    write("log", first);
    open();
    EXPECT_THAT(read(), ElementsAre("1", "2", "3"));
    std::filesystem::remove(directory + "/log");
    write_compressed("log.2.gz", first + whole("4", 2));  // the same moment, and not read
    write_compressed("log.1.gz", whole("5", 5));
    write("log", whole("6", 6));
    EXPECT_THAT(read(), ElementsAre("4", "5", "6"));
}

TEST_F(JsonFileTest, WaitsForTheRestOfALineAndGivesItsBeginWhenNoneComes) {
    write("log", stored("be", 1));
    open();
    EXPECT_THAT(read(), IsEmpty());
    write("log", stored("gin\\n", 2) + stored("cut", 3));
    EXPECT_THAT(read(), ElementsAre("begin"));
    EXPECT_THAT(texts(source->rest()), ElementsAre("cut"));
}

TEST_F(JsonFileTest, TailCountsLinesOverAllFiles) {
    write_compressed("log.2.gz", whole("1", 1) + whole("2", 2));
    write("log.1", whole("3", 3));
    write("log", stored("4 is ", 4) + stored("long\\n", 4) + whole("5", 5));
    open({.tail = 2});
    EXPECT_THAT(read(), ElementsAre("4 is long", "5"));
    open({.tail = 4});
    EXPECT_THAT(read(), ElementsAre("2", "3", "4 is long", "5"));
    open({.tail = 100});
    EXPECT_THAT(read(), ElementsAre("1", "2", "3", "4 is long", "5"));
    open({.tail = 0});
    EXPECT_THAT(read(), IsEmpty());
    write("log", whole("6", 6));
    EXPECT_THAT(read(), ElementsAre("6"));
}

TEST_F(JsonFileTest, TailOfAFileOfManyBlocksReadsItsEndOnly) {
    std::string content;
    for (int i = 0; i < 5000; ++i) content += whole("line " + std::to_string(i) + std::string(100, '.'), 1);
    write("log", content);
    open({.tail = 3});
    const auto lines = read();
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_TRUE(lines[0].starts_with("line 4997.")) << lines[0];
    EXPECT_TRUE(lines[2].starts_with("line 4999.")) << lines[2];
}

TEST_F(JsonFileTest, SinceLeavesOutWhatIsOlder) {
    write("log", whole("1", 1) + whole("2", 2) + whole("3", 3));
    open({.since = 2'000'000'000});
    EXPECT_THAT(read(), ElementsAre("2", "3"));
    open({.since = 2'000'000'000, .tail = 5});
    EXPECT_THAT(read(), ElementsAre("2", "3"));
}

TEST_F(JsonFileTest, TellsOnceWhatItCouldNotRead) {
    write("log", "rubbish\n" + whole("1", 1));
    open();
    EXPECT_THAT(read(), ElementsAre("1"));
    EXPECT_THAT(source->remark(), testing::HasSubstr("1 damaged line"));
    EXPECT_EQ(source->remark(), "");
}

}  // namespace
}  // namespace nodeagent::cli
