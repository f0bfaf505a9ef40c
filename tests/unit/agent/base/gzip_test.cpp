#include "agent/base/gzip.hpp"

#include "tests/harness/gzipped.hpp"

namespace nodeagent {
namespace {

using test::gzipped;

TEST(Gunzip, GivesBackWhatWasPacked) {
    const std::string text(100'000, 'x');
    EXPECT_EQ(*gunzip(gzipped(text), 100'000), text);
    EXPECT_EQ(*gunzip(gzipped(""), 0), "");
    EXPECT_EQ(*gunzip(gzipped("one ") + gzipped("two"), 100), "one two");
}

TEST(Gunzip, StopsAtTheLimit) {
    const std::string bomb = gzipped(std::string(50U << 20U, '\0'));
    EXPECT_LT(bomb.size(), 100'000U);
    const auto refused = gunzip(bomb, 1U << 20U);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Denied);
    EXPECT_FALSE(gunzip(gzipped("1234"), 3));
}

TEST(Gunzip, RefusesWhatIsNoWholeStream) {
    const std::string whole = gzipped("some text that is long enough");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto part = gunzip(whole.substr(0, length), 1000);
        ASSERT_FALSE(part) << length;
        EXPECT_EQ(part.error().kind, ErrorKind::Malformed);
    }
    std::string wrong_checksum = whole;
    wrong_checksum[whole.size() - 8] ^= 1;
    EXPECT_FALSE(gunzip(wrong_checksum, 1000));
    EXPECT_FALSE(gunzip(whole + "rest", 1000));
    EXPECT_FALSE(gunzip("plain text", 1000));
}

}  // namespace
}  // namespace nodeagent
