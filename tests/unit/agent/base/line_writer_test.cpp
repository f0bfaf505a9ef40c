// Lines that are written on another thread than the one that logs.
#include "agent/base/line_writer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "agent/base/fd.hpp"
#include "agent/base/log.hpp"
#include "agent/base/log_sinks.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// An output that hangs until it is let go.
class HangingOutput {
  public:
    LineWriter::Output output() {
        return {.write =
                    [this](std::string_view line) {
                        if (!reached_) arrived_.set_value();
                        reached_ = true;
                        released_.wait();
                        const std::lock_guard lock(mutex_);
                        if (fails_ > 0) {
                            --fails_;
                            return false;
                        }
                        lines_.emplace_back(line);
                        return true;
                    },
                .tell =
                    [this](std::uint64_t lost) {
                        const std::lock_guard lock(mutex_);
                        lines_.push_back("lost " + std::to_string(lost));
                        return true;
                    }};
    }
    void wait_until_it_hangs() { arrived_.get_future().wait(); }
    void let_go() { release_.set_value(); }
    void fail(int times) { fails_ = times; }
    std::vector<std::string> lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

  private:
    bool reached_ = false;
    std::promise<void> arrived_, release_;
    std::shared_future<void> released_ = release_.get_future().share();
    std::mutex mutex_;
    int fails_ = 0;
    std::vector<std::string> lines_;
};

TEST(LineWriterTest, WritesLinesInTheirOrder) {
    HangingOutput to;
    to.let_go();
    LineWriter writer(to.output());
    for (const char* line : {"one", "", "three\nstill three"}) writer.add(line);
    ASSERT_TRUE(LineWriter::wait_until_written(30s));
    EXPECT_THAT(to.lines(), ElementsAre("one", "", "three still three"));
}

TEST(LineWriterTest, AnOutputThatHangsHoldsUpNobody) {
    HangingOutput to;
    LineWriter writer(to.output(), 1000);
    writer.add("first");
    to.wait_until_it_hangs();
    for (int i = 0; i < 10'000; ++i) writer.add("123456789");  // ten bytes with its newline
    EXPECT_FALSE(LineWriter::wait_until_written(10ms)) << "it must give up when its time is over";
    EXPECT_THAT(to.lines(), SizeIs(0));
    to.let_go();
    ASSERT_TRUE(LineWriter::wait_until_written(30s));
    const auto lines = to.lines();
    ASSERT_THAT(lines, SizeIs(102)) << "the first, what fits the bound, what is missing";
    EXPECT_EQ(lines.front(), "first");
    EXPECT_EQ(lines.back(), "lost 9900");
    writer.add("afterwards");
    ASSERT_TRUE(LineWriter::wait_until_written(30s));
    EXPECT_EQ(to.lines().back(), "afterwards") << "nothing is told twice";
}

TEST(LineWriterTest, LinesThatCouldNotBeWrittenAreToldWhenTheyFlowAgain) {
    HangingOutput to;
    to.fail(2);
    to.let_go();
    LineWriter writer(to.output());
    for (const char* line : {"no", "neither", "yes"}) {
        writer.add(line);
        ASSERT_TRUE(LineWriter::wait_until_written(30s));
    }
    EXPECT_THAT(to.lines(), ElementsAre("yes", "lost 2"));
}

TEST(LineWriterTest, ItsEndWaitsForTheLinesButNotForAnOutputThatHangs) {
    HangingOutput flows;
    flows.let_go();
    {
        LineWriter writer(flows.output());
        writer.add("last words");
    }
    EXPECT_THAT(flows.lines(), ElementsAre("last words"));
    const auto hangs = std::make_shared<HangingOutput>();  // the thread left behind still has it
    {
        auto output = hangs->output();
        LineWriter writer(
            {.write = [hangs, write = output.write](auto line) { return write(line); }, .tell = output.tell});
        writer.add("stuck");
    }
    hangs->let_go();
    ASSERT_TRUE(LineWriter::wait_until_written(30s));
    EXPECT_THAT(hangs->lines(), ElementsAre("stuck"));
}

/// The log's stream is a pipe that nobody reads at first.
class LogToAPipe : public testing::Test {
  protected:
    LogToAPipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
        reader = Fd(ends[0]);
        writer = Fd(ends[1]);
        log::SinkOptions options;
        options.stream = writer.get();
        EXPECT_TRUE(log::install_sinks(std::move(options)));
    }
    ~LogToAPipe() override {
        EXPECT_TRUE(log::install_sinks(log::SinkOptions()));
        log::set_sink([](log::Level, std::string_view) {});
        log::set_level(log::Level::Info);
    }
    /// All lines, once nobody writes any more.
    std::vector<std::string> read_all() {
        std::string text;
        std::array<char, 4096> part{};
        for (ssize_t n = 0; (n = ::read(reader.get(), part.data(), part.size())) > 0;)
            text.append(part.data(), static_cast<std::size_t>(n));
        std::vector<std::string> lines;
        for (const std::string_view line : split(text, '\n'))
            if (!line.empty()) lines.emplace_back(line);
        return lines;
    }

    Fd reader, writer;
};

TEST_F(LogToAPipe, ThatIsFullLosesLinesAndSaysHowMany) {
    constexpr std::size_t kLines = 20'000;
    const std::string long_text(100, 'x');
    for (std::size_t i = 0; i < kLines; ++i) log::info(long_text, {{"number", i}});
    auto whole = std::async(std::launch::async, [this] { return read_all(); });
    EXPECT_TRUE(log::flush(30s));
    log::info("it flows");
    EXPECT_TRUE(log::flush(30s));
    writer.reset();
    const auto lines = whole.get();
    std::size_t whole_lines = 0;
    std::size_t missing = 0;
    for (const std::string& line : lines) {
        if (line.find(long_text) != std::string::npos) ++whole_lines;
        const auto at = line.find(" lines=");
        if (line.find("lines of this log are missing") != std::string::npos)
            missing += static_cast<std::size_t>(*parse_integer(line.substr(at + 7)));
    }
    EXPECT_GT(missing, 0U);
    EXPECT_EQ(whole_lines + missing, kLines);
    EXPECT_THAT(lines.back(), HasSubstr("it flows"));
}

TEST_F(LogToAPipe, CarriesOtherLinesToo) {
    log::write_to_stream("an audit line");
    log::info("a line of the log");
    EXPECT_TRUE(log::flush(30s));
    writer.reset();
    EXPECT_THAT(read_all(), ElementsAre("an audit line", HasSubstr("a line of the log")));
}

/// Ends as a bug ends it; its log is standard error.
[[noreturn]] void log_and_abort() {
    for (const int signal : {SIGABRT, SIGSEGV}) std::signal(signal, SIG_DFL);  // sanitizers take them
    log::SinkOptions options;
    options.stream = STDERR_FILENO;
    (void)log::install_sinks(std::move(options));
    log::flush_on_fatal_signals();
    for (int i = 0; i < 100; ++i) log::info("before");
    log::critical("the last line");
    std::abort();
}

TEST(FatalEnd, AnAbortHasItsLastLineInTheLog) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(log_and_abort(), testing::KilledBySignal(SIGABRT), "the last line");
}

}  // namespace
}  // namespace nodeagent
