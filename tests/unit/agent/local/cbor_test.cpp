#include "agent/local/cloudwatch/cbor.hpp"

#include <cmath>

namespace nodeagent::local {
namespace {

std::string bytes(std::initializer_list<int> values) {
    std::string out;
    for (const int value : values) out += static_cast<char>(value);
    return out;
}

Json parsed(std::initializer_list<int> values) {
    const auto item = parse_cbor(bytes(values));
    EXPECT_TRUE(item) << item.error().what;
    return item ? *item : Json();
}

// Examples of RFC 8949, appendix A.
TEST(Cbor, ReadsWhatTheStandardShows) {
    EXPECT_EQ(parsed({0x17}), 23);
    EXPECT_EQ(parsed({0x19, 0x03, 0xE8}), 1000);
    EXPECT_EQ(parsed({0x1B, 0, 0, 0, 0xE8, 0xD4, 0xA5, 0x10, 0}), 1'000'000'000'000);
    EXPECT_EQ(parsed({0x38, 0x63}), -100);
    EXPECT_EQ(parsed({0xF9, 0x3C, 0x00}), 1.0);
    EXPECT_EQ(parsed({0xF9, 0xC4, 0x00}), -4.0);
    EXPECT_EQ(parsed({0xF9, 0x00, 0x01}), 5.960464477539063e-8);
    EXPECT_EQ(parsed({0xFA, 0x47, 0xC3, 0x50, 0x00}), 100000.0);
    EXPECT_EQ(parsed({0xFB, 0x3F, 0xF1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A}), 1.1);
    EXPECT_TRUE(std::isinf(parsed({0xF9, 0x7C, 0x00}).get<double>()));
    EXPECT_TRUE(std::isnan(parsed({0xF9, 0x7E, 0x00}).get<double>()));
    EXPECT_EQ(parsed({0xF4}), false);
    EXPECT_EQ(parsed({0xF6}), nullptr);
    EXPECT_EQ(parsed({0xC1, 0x1A, 0x51, 0x4B, 0x67, 0xB0}), 1363896240);
    EXPECT_EQ(parsed({0x62, 0xC3, 0xBC}), "ü");
    EXPECT_EQ(parsed({0x7F, 0x65, 's', 't', 'r', 'e', 'a', 0x64, 'm', 'i', 'n', 'g', 0xFF}), "streaming");
    EXPECT_EQ(parsed({0x83, 0x01, 0x82, 0x02, 0x03, 0x80}), Json::parse("[1,[2,3],[]]"));
    EXPECT_EQ(parsed({0x9F, 0x01, 0x9F, 0xFF, 0xFF}), Json::parse("[1,[]]"));
    EXPECT_EQ(parsed({0xA2, 0x61, 'a', 0x01, 0x61, 'b', 0x81, 0x02}), Json::parse(R"({"a":1,"b":[2]})"));
    EXPECT_EQ(parsed({0xBF, 0x61, 'a', 0x01, 0xFF}), Json::parse(R"({"a":1})"));
}

TEST(Cbor, RefusesWhatIsBrokenOrTooMuch) {
    const std::string wrong[] = {
        "",
        bytes({0x19, 0x03}),  // half a number
        bytes({0x1C}),        // a reserved length
        bytes({0x1F}),        // a number without a length
        bytes({0x3B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}),
        bytes({0x41, 0x00}),        // a byte string
        bytes({0x62, 0xC3}),        // half a text
        bytes({0x61, 0xFF}),        // no UTF-8
        bytes({0x7F, 0x01, 0xFF}),  // a text of numbers
        bytes({0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00}),
        bytes({0x9F, 0x01}),
        bytes({0xA1, 0x01, 0x02}),  // a name that is a number
        bytes({0xF0}),
        bytes({0xFF}),
        bytes({0x01, 0x01}),
        std::string(100'000, '\x81'),  // lists in lists
        std::string(100'000, '\xC1'),  // tags of tags
        "\x9A\x00\x1F\xFF\xFF" + std::string(0x1FFFFF, '\0'),
    };
    for (const std::string& input : wrong) {
        const auto refused = parse_cbor(input);
        ASSERT_FALSE(refused) << input.size();
        EXPECT_EQ(refused.error().kind, ErrorKind::Malformed);
    }
}

TEST(Cbor, WritesTimesWithTheirTag) {
    OrderedJson document;
    document["Timestamps"] = {1000000.0};
    document["n"] = 300;
    EXPECT_EQ(dump_cbor(document), bytes({0xA2, 0x6A, 'T',  'i',  'm',  'e',  's',  't',  'a', 'm',  'p',  's',
                                          0x81, 0xC1, 0xFA, 0x49, 0x74, 0x24, 0x00, 0x61, 'n', 0x19, 0x01, 0x2C}));
}

TEST(Cbor, ReadsWhatItWrote) {
    OrderedJson document;
    document["text"] = std::string(300, 'x');
    document["list"] = OrderedJson::array();
    for (int i = 0; i < 70'000; ++i) document["list"].push_back(i * 0.1);
    document["Timestamp"] = 1767225600.123;
    document["nothing"] = OrderedJson::object();
    const auto again = parse_cbor(dump_cbor(document));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(*again, Json(document));
}

}  // namespace
}  // namespace nodeagent::local
