#include "agent/takeover/bolt_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/bolt_writer.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::takeover {
namespace {

using fakes::BoltWriter;
using testing::HasSubstr;

constexpr std::size_t kPage = 1024;

/// Enough for branch pages above branch pages, values over several pages, an inline and an empty bucket.
BoltBucket large() {
    BoltBucket root;
    BoltBucket& tasks = root.buckets["tasks"];
    for (int i = 0; i < 700; ++i) tasks.values["task-" + std::to_string(i)] = std::string(300, static_cast<char>(i));
    tasks.values["wide"] = std::string(10 * kPage, 'w');
    tasks.values["empty"] = "";
    tasks.buckets["nested"].values["inner"] = "value";
    root.buckets["metadata"].values["cluster-name"] = "\"default\"";
    root.buckets["images"];
    return root;
}

std::string page_of(const std::string& file, std::uint16_t flags, std::size_t* at) {
    for (std::size_t page = 3 * kPage; page + kPage <= file.size(); page += kPage) {
        std::uint64_t id = 0;
        std::uint16_t found = 0;
        std::memcpy(&id, file.data() + page, 8);
        std::memcpy(&found, file.data() + page + 8, 2);
        if (id * kPage == page && found == flags && page > 6 * kPage) {
            *at = page;
            return file.substr(page, kPage);
        }
    }
    return {};
}

template <class T>
std::string with(std::string file, std::size_t at, T value) {
    std::memcpy(file.data() + at, &value, sizeof value);
    return file;
}

/// The head's checksum made right again.
std::string sealed(std::string file, std::size_t head) {
    const std::uint64_t sum = BoltWriter::checksum(file.data() + head + 16, 56);
    return with(std::move(file), head + 16 + 56, sum);
}

std::string why(const std::string& file) {
    const auto read = read_bolt(file);
    return read ? "it was read" : read.error().what;
}

TEST(BoltFile, BranchesOverflowsNestedAndInlineBucketsAreRead) {
    const auto read = read_bolt(BoltWriter(kPage).write(large()));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, large());
    EXPECT_EQ(read->find("tasks")->values.size(), 702U);
    EXPECT_EQ(read->find("none"), nullptr);
}

TEST(BoltFile, EveryPageSizeIsTakenFromTheFile) {
    for (const std::size_t size : {512U, 4096U, 16384U, 65536U}) {
        const auto read = read_bolt(BoltWriter(size).write(large()));
        ASSERT_TRUE(read) << size << ": " << read.error().what;
        EXPECT_EQ(*read, large()) << size;
    }
}

TEST(BoltFile, TheHeadOfTheNewerTransactionCounts) {
    const std::string file = BoltWriter(kPage).write(large());
    EXPECT_EQ(*read_bolt(file), large());
    const std::string older = sealed(with<std::uint64_t>(file, kPage + 16 + 48, 5), kPage);
    EXPECT_EQ(*read_bolt(older), BoltBucket{}) << "head 0 is of transaction 6, in which there was nothing";
}

TEST(BoltFile, AHeadThatWasBeingWrittenDoesNotCount) {
    const std::string file = BoltWriter(kPage).write(large());
    EXPECT_EQ(*read_bolt(with<std::uint64_t>(file, kPage + 16 + 16, 999)), BoltBucket{}) << "head 1 is torn";
    EXPECT_EQ(*read_bolt(with<std::uint64_t>(file, 16 + 48, 999)), large()) << "head 0 is torn";
    EXPECT_EQ(*read_bolt(with<std::uint32_t>(file, 16, 0)), large()) << "head 0 is gone";
}

TEST(BoltFile, AFileWithoutAGoodHeadIsNamedForWhatItIs) {
    EXPECT_EQ(why(""), "is empty");
    EXPECT_EQ(why(std::string(100'000, 'x')), "is no bbolt file");
    EXPECT_EQ(why("SQLite format 3"), "is no bbolt file");
    const std::string file = BoltWriter(kPage).write(large());
    const std::string torn = with<std::uint64_t>(with<std::uint64_t>(file, kPage + 16 + 16, 9), 16 + 16, 9);
    EXPECT_EQ(why(torn), "is damaged: neither of its two heads has the right checksum");
    std::string newer = with<std::uint32_t>(with<std::uint32_t>(file, kPage + 16 + 4, 3), 16 + 4, 3);
    EXPECT_EQ(why(sealed(sealed(newer, 0), kPage)), "is of a version of bbolt's format that is not known here");
}

TEST(BoltFile, ATruncatedFileIsSaidToBe) {
    const std::string file = BoltWriter(kPage).write(large());
    for (const std::size_t size : {2 * kPage, 5 * kPage, file.size() / 2, file.size() - 3 * kPage}) {
        EXPECT_THAT(why(file.substr(0, size)), HasSubstr("is truncated")) << size;
    }
    EXPECT_THAT(why(file.substr(0, kPage)), HasSubstr("is truncated"));
}

TEST(BoltFile, APageThatLeadsBackToItselfEndsTheWalk) {
    std::string file = BoltWriter(kPage).write(large());
    std::size_t at = 0;
    ASSERT_FALSE(page_of(file, 1, &at).empty());
    EXPECT_THAT(why(with<std::uint64_t>(file, at + 16 + 8, at / kPage)), HasSubstr("is used twice"));
}

TEST(BoltFile, NumbersThatLeadOutOfThePageOrTheFileAreDamage) {
    const std::string file = BoltWriter(kPage).write(large());
    std::size_t branch = 0, leaf = 0;
    ASSERT_FALSE(page_of(file, 1, &branch).empty());
    ASSERT_FALSE(page_of(file, 2, &leaf).empty());
    EXPECT_THAT(why(with<std::uint64_t>(file, branch + 16 + 8, 0)), HasSubstr("page 0 is referred to"));
    EXPECT_THAT(why(with<std::uint64_t>(file, branch + 16 + 8, 1)), HasSubstr("page 1 is referred to"));
    EXPECT_THAT(why(with<std::uint64_t>(file, branch + 16 + 8, 1ULL << 60)), HasSubstr("which cannot be"));
    EXPECT_THAT(why(with<std::uint16_t>(file, branch + 10, 65535)), HasSubstr("is damaged"));
    EXPECT_THAT(why(with<std::uint32_t>(file, branch + 12, 0xFFFFFFFF)), HasSubstr("goes on behind the last page"));
    EXPECT_THAT(why(with<std::uint16_t>(file, branch + 8, 16)), HasSubstr("is neither branch nor leaf"));
    EXPECT_THAT(why(with<std::uint64_t>(file, branch, 3)), HasSubstr("says that it is another one"));
    EXPECT_THAT(why(with<std::uint16_t>(file, leaf + 10, 65535)), HasSubstr("is damaged"));
    for (const std::size_t field : {4U, 8U, 12U}) {
        EXPECT_THAT(why(with<std::uint32_t>(file, leaf + 16 + field, 0xFFFFFFF0)), HasSubstr("reaches beyond it"));
    }
    EXPECT_THAT(why(with<std::uint32_t>(file, leaf + 16, 1)), HasSubstr("is damaged")) << "a value that is no bucket";
    EXPECT_THAT(why(sealed(with<std::uint64_t>(file, kPage + 16 + 16, 1), kPage)), HasSubstr("page 1 is referred to"));
    EXPECT_THAT(why(sealed(with<std::uint64_t>(file, kPage + 16 + 40, 1ULL << 50), kPage)), HasSubstr("truncated"));
}

TEST(BoltFile, AnyByteMayBeWrong) {
    BoltBucket root;
    root.buckets["metadata"].values["key"] = "value";
    root.buckets["tasks"].values["wide"] = std::string(700, 't');
    root.buckets["tasks"].values["next"] = std::string(100, 'n');
    const std::string file = BoltWriter(512).write(root);
    std::size_t refused = 0;
    for (std::size_t at = 0; at < file.size(); ++at) {
        for (const int bit : {0, 4, 7}) {
            std::string changed = file;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            if (!read_bolt(changed)) ++refused;
        }
    }
    EXPECT_GT(refused, 100U);
}

TEST(BoltFile, AFileThatSomebodyWritesIsLeftAlone) {
    const fakes::TempDirectory directory;
    const std::string path = directory + "/agent.db";
    BoltWriter().write_to(path, large());
    const Fd writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::flock(writer.get(), LOCK_EX), 0);
    const auto busy = open_bolt(path);
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().kind, ErrorKind::Conflict);
    EXPECT_EQ(busy.error().what, path + " is in use by another process");

    ASSERT_EQ(::flock(writer.get(), LOCK_UN), 0);
    const auto read = open_bolt(path);
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->root, large());
    EXPECT_NE(::flock(writer.get(), LOCK_EX | LOCK_NB), 0) << "nobody writes while it is taken over";
}

TEST(BoltFile, ErrorsOfTheFileNameIt) {
    const fakes::TempDirectory directory;
    const std::string path = directory + "/agent.db";
    EXPECT_EQ(open_bolt(path).error().kind, ErrorKind::NotFound);
    std::ofstream(path) << "something else";
    EXPECT_EQ(open_bolt(path).error().what, path + " is no bbolt file");
    ASSERT_EQ(::mkdir((directory + "/folder").c_str(), 0700), 0);
    EXPECT_EQ(open_bolt(directory + "/folder").error().what, directory + "/folder is no file");
    ASSERT_EQ(::mkfifo((directory + "/pipe").c_str(), 0600), 0);
    EXPECT_EQ(open_bolt(directory + "/pipe").error().what, directory + "/pipe is no file");
}

}  // namespace
}  // namespace nodeagent::takeover
