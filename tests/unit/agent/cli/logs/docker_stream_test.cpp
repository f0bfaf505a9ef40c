#include "agent/cli/logs/docker_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nodeagent::cli {
namespace {

using testing::ElementsAre;

std::string frame(char stream, const std::string& body) {
    const auto size = static_cast<unsigned>(body.size());
    std::string header{stream, 0, 0, 0, 0, 0, static_cast<char>(size >> 8U), static_cast<char>(size)};
    return header + body;
}

std::vector<std::string> shown(const std::vector<LogLine>& lines) {
    std::vector<std::string> out;
    for (const LogLine& line : lines) {
        out.push_back(std::to_string(line.time) + (line.stream == PrintedTo::Stderr ? " err " : " out ") + line.text);
    }
    return out;
}

TEST(DockerStream, TellsOutputsApartHoweverTheBytesCome) {
    const std::string body = frame(1, "1970-01-01T00:00:01.000000000Z hello\n") +
                             frame(2, "1970-01-01T00:00:02.000000000Z oh no\n") +
                             frame(1, "1970-01-01T00:00:03.000000000Z \n");
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, body.size()}) {
        DockerStream stream(false);
        std::vector<LogLine> lines;
        for (std::size_t i = 0; i < body.size(); i += step) {
            ASSERT_TRUE(stream.feed(std::string_view(body).substr(i, step), lines));
        }
        EXPECT_THAT(shown(lines), ElementsAre("1000000000 out hello", "2000000000 err oh no", "3000000000 out "));
    }
}

TEST(DockerStream, PutsPartsOfALineTogetherEachOfWhichHasATime) {
    DockerStream stream(false);
    std::vector<LogLine> lines;
    ASSERT_TRUE(stream.feed(frame(1, "1970-01-01T00:00:01Z a b") + frame(1, "1970-01-01T00:00:02Z c d\n"), lines));
    EXPECT_THAT(shown(lines), ElementsAre("1000000000 out a bc d"));
}

TEST(DockerStream, OfATerminalIsPlainText) {
    DockerStream stream(true);
    std::vector<LogLine> lines;
    ASSERT_TRUE(stream.feed("1970-01-01T00:00:01Z / # ls\r\n1970-01-01T00:0", lines));
    ASSERT_TRUE(stream.feed("0:02Z bin\r\n", lines));
    EXPECT_THAT(shown(lines), ElementsAre("1000000000 out / # ls\r", "2000000000 out bin\r"));
}

TEST(DockerStream, RefusesWhatIsNoFrameAndPassesOnAnErrorOfTheDaemons) {
    DockerStream stream(false);
    std::vector<LogLine> lines;
    EXPECT_EQ(stream.feed("<html> is no frame", lines).error().kind, ErrorKind::Malformed);
    DockerStream other(false);
    const auto told = other.feed(frame(3, "error grabbing logs"), lines);
    ASSERT_FALSE(told);
    EXPECT_THAT(told.error().what, testing::HasSubstr("error grabbing logs"));
}

}  // namespace
}  // namespace nodeagent::cli
