#include "agent/base/gzip_writer.hpp"

#include "tests/fakes/gunzipped.hpp"

namespace nodeagent {
namespace {

TEST(GzipWriter, MakesOneStreamOfWhatIsAppended) {
    GzipWriter writer;
    std::string plain;
    for (int i = 0; i < 20'000; ++i) {
        const std::string part = "MetricData.member." + std::to_string(i) + "&";
        writer.append(part);
        plain += part;
    }
    const std::string stream = writer.finish();
    EXPECT_EQ(fakes::gunzipped(stream), plain);
    EXPECT_LT(stream.size(), plain.size() / 5);
}

TEST(GzipWriter, BeginsAnotherStreamAfterOne) {
    GzipWriter writer;
    writer.append("one");
    EXPECT_EQ(fakes::gunzipped(writer.finish()), "one");
    writer.append("two");
    EXPECT_EQ(fakes::gunzipped(writer.finish()), "two");
}

TEST(GzipWriter, TakesWhatCannotBeCompressed) {
    std::string noise;
    std::uint32_t state = 1;
    for (int i = 0; i < 100'000; ++i) {
        state = state * 1'664'525U + 1'013'904'223U;
        noise += static_cast<char>(state >> 24U);
    }
    GzipWriter writer;
    writer.append(noise);
    EXPECT_EQ(fakes::gunzipped(writer.finish()), noise);
}

}  // namespace
}  // namespace nodeagent
