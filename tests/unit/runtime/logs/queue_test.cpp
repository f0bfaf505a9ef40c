#include "runtime/logs/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "runtime/logs/splitter.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::runtime::logs {
namespace {

using fakes::TempDirectory;
using ::testing::ElementsAre;

struct Split {
    explicit Split(std::size_t longest)
        : memory(std::move(*SharedMemory::make(1 << 20))),
          splitter(
              memory->state().inputs[0], Stream::Stdout, longest,
              [this](Message& line) {
                  if (static_cast<int>(lines.size()) == room) return false;
                  lines.push_back(std::string(line.text) + (line.partial() ? line.last ? "$" : "~" : ""));
                  return true;
              },
              [] {}) {}
    bool feed(std::string_view text) {
        InputState& input = memory->state().inputs[0];
        std::copy(text.begin(), text.end(), input.input.begin());
        input.begin = 0;
        input.end = static_cast<std::uint32_t>(text.size());
        return splitter.run(1);
    }
    std::unique_ptr<SharedMemory> memory;
    std::vector<std::string> lines;
    int room = -1;
    Splitter splitter;
};

TEST(Splitter, EndsLinesAtNewlinesWhateverTheReadsWere) {
    Split split(100);
    split.feed("one\ntw");
    split.feed("o");
    split.feed("\n\nthree");
    EXPECT_THAT(split.lines, ElementsAre("one", "two", ""));
    split.splitter.end(1);
    EXPECT_THAT(split.lines, ElementsAre("one", "two", "", "three~"));
}

TEST(Splitter, CutsLongLinesIntoPartsOfTheSameLine) {
    Split split(4);
    split.feed("abcdefgh");
    split.feed("ij\nklmn\n");
    // a line of just the limit is a part and an empty rest, as in Docker
    EXPECT_THAT(split.lines, ElementsAre("abcd~", "efgh~", "ij$", "klmn~", "$"));
}

TEST(Splitter, GoesOnWithTheLineThatFoundNoRoom) {
    Split split(100);
    split.room = 1;
    EXPECT_FALSE(split.feed("one\ntwo\nthr"));
    split.room = -1;
    EXPECT_TRUE(split.splitter.run(1));
    split.feed("ee\n");
    EXPECT_THAT(split.lines, ElementsAre("one", "two", "three"));
}

struct Waiting {
    explicit Waiting(std::uint64_t text_bytes, std::uint64_t spool_bytes, std::string spool = {})
        : limits{.text_bytes = text_bytes, .messages = 0},
          place{.directory = spool.empty() ? directory.path() + "/spool" : std::move(spool), .max_bytes = spool_bytes},
          memory(std::move(*SharedMemory::make(ring_memory(limits)))),
          lock(std::move(*open_spool(place, memory->state()))) {
        load_rest(*memory, limits, place);
        in = std::make_unique<QueueIn>(*memory, limits, place);
        out = std::make_unique<QueueOut>(*memory, limits, place);
    }
    bool put(const std::string& text) {
        Message line;
        line.text = text;
        line.time = 1'000'000'000;
        const bool kept = in->push(line);
        if (!kept) in->drop(line);
        in->commit();
        return kept;
    }
    std::vector<std::string> take(std::size_t most = 1'000'000) {
        std::vector<std::string> texts;
        while (texts.size() < most) {
            const auto line = out->peek();
            if (!line) break;
            texts.emplace_back(line->text);
            out->advance();
        }
        return texts;
    }
    TempDirectory directory;
    RingLimits limits;
    SpoolPlace place;
    std::unique_ptr<SharedMemory> memory;
    Fd lock;
    std::unique_ptr<QueueIn> in;
    std::unique_ptr<QueueOut> out;
};

std::vector<std::string> numbered(int from, int to) {
    std::vector<std::string> out;
    for (int i = from; i < to; ++i) out.push_back("line " + std::to_string(i));
    return out;
}

TEST(Queue, KeepsTheOrderOfLinesAcrossRingAndSpool) {
    Waiting waiting(1000, 1 << 20);
    std::vector<std::string> told;
    int next = 0;
    for (int round = 0; round < 50; ++round) {  // fills and empties, so that either may hold the older line
        for (int i = 0; i < 40 + round * 7 % 60; ++i) EXPECT_TRUE(waiting.put("line " + std::to_string(next++)));
        for (std::string& text : waiting.take(static_cast<std::size_t>(30 + round % 40)))
            told.push_back(std::move(text));
        waiting.out->release(waiting.out->position());
    }
    for (std::string& text : waiting.take()) told.push_back(std::move(text));
    EXPECT_EQ(told, numbered(0, next));
    EXPECT_GT(waiting.memory->state().counts.spooled_lines, 0U);
}

TEST(Queue, GivesASecondSenderWhatTheFirstHadNotReleased) {
    Waiting waiting(1000, 1 << 20);
    for (const std::string& text : numbered(0, 300)) waiting.put(text);
    (void)waiting.take(250);
    const QueuePosition kept = [&] {
        QueueOut again(*waiting.memory, waiting.limits, waiting.place);
        for (int i = 0; i < 120; ++i) {
            (void)again.peek();
            again.advance();
        }
        return again.position();
    }();
    waiting.out->release(kept);
    waiting.out = std::make_unique<QueueOut>(*waiting.memory, waiting.limits, waiting.place);
    EXPECT_EQ(waiting.take(), numbered(120, 300));
}

TEST(Queue, TellsOfDroppedLinesInTheirPlace) {
    Waiting waiting(400, 0);
    int kept = 0;
    while (waiting.put("0123456789")) ++kept;
    waiting.put("0123456789");
    EXPECT_EQ(static_cast<int>(waiting.take().size()), kept);
    waiting.out->release(waiting.out->position());
    EXPECT_TRUE(waiting.put("after"));
    EXPECT_THAT(waiting.take(), ElementsAre("ecs-awslogs: 2 lines (20 bytes) dropped between 1970-01-01T00:00:01Z and "
                                            "1970-01-01T00:00:01Z: the buffer and the spool were full",
                                            "after"));
}

TEST(Queue, IsTakenUpByTheNextProgram) {
    TempDirectory directory;
    const std::string spool = directory.path() + "/spool";
    {
        Waiting first(1000, 1 << 20, spool);
        for (const std::string& text : numbered(0, 300)) first.put(text);
        (void)first.take(10);
        first.out->release(first.out->position());
        Gap lost;
        EXPECT_TRUE(first.out->save_rest(lost));
    }
    Waiting second(1000, 1 << 20, spool);
    second.put("line 300");
    EXPECT_EQ(second.take(), numbered(10, 301));
}

TEST(Spool, EndsASegmentAtADamagedRecord) {
    TempDirectory directory;
    const std::string spool = directory.path() + "/spool";
    {
        Waiting first(10, 1 << 20, spool);
        for (const std::string& text : numbered(0, 20)) first.put(text);
    }
    const std::string path = segment_path(spool, 1);
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path) - 3));
        file.put('\xee');
    }
    Waiting second(10'000, 1 << 20, spool);
    second.put("new");
    const std::vector<std::string> told = second.take();
    EXPECT_EQ(told.size(), 19U);  // the ring's one is gone with its program, the last one is damaged
    EXPECT_EQ(told.back(), "new");
    EXPECT_EQ(second.memory->state().counts.damaged_records, 1U);
}

TEST(Spool, BelongsToOneProgram) {
    Waiting first(10, 1 << 20);
    const auto memory = SharedMemory::make(1 << 20);
    EXPECT_FALSE(open_spool(first.place, (*memory)->state()));
}

}  // namespace
}  // namespace nodeagent::runtime::logs
