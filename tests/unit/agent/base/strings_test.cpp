#include "agent/base/strings.hpp"

namespace nodeagent {
namespace {

std::string json_string(std::string_view text, bool html = false) {
    std::string out;
    append_json_string(out, text, html);
    return out;
}

TEST(Strings, EscapesJsonAsGoDoesWhenAskedTo) {
    EXPECT_EQ(json_string("<a&b>"), "\"<a&b>\"");
    EXPECT_EQ(json_string("<a&b>", true), "\"\\u003ca\\u0026b\\u003e\"");
    EXPECT_EQ(json_string("\xE2\x80\xA8", true), "\"\\u2028\"");
    EXPECT_EQ(json_string("a\n\t\x01\"\\"), "\"a\\n\\t\\u0001\\\"\\\\\"");
}

TEST(Strings, ReplacesInvalidUtf8ByteByByte) {
    EXPECT_EQ(json_string("a\xFF\xC3(b"), "\"a\\ufffd\\ufffd(b\"");
    EXPECT_EQ(json_string("\xED\xA0\x80"), "\"\\ufffd\\ufffd\\ufffd\"") << "a surrogate half is not UTF-8";
    EXPECT_EQ(json_string("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\"");
}

TEST(Strings, RoundTripsBase64) {
    for (const std::string text : {"", "a", "ab", "abc", "any carnal pleas"})
        EXPECT_EQ(base64_decode(base64_encode(text)), text);
    EXPECT_EQ(base64_encode("{}\n"), "e30K");
    EXPECT_FALSE(base64_decode("abc"));
    EXPECT_FALSE(base64_decode("ab!="));
}

TEST(Strings, PercentDecodingRefusesBrokenEscapes) {
    EXPECT_EQ(percent_decode("a%2Fb+c"), "a/b+c");
    for (const char* text : {"%", "%2", "%zz", "a%2"}) EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(Strings, PercentEncodesAllButUnreservedCharacters) {
    EXPECT_EQ(percent_encode("a b/c~é"), "a%20b%2Fc~%C3%A9");
    EXPECT_EQ(percent_encode("/a b", true), "/a%20b");
}

TEST(Strings, KnowsUtf8) {
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8("a\xC3\xA4\xF0\x9F\x90\xB3"));
    for (const char* wrong : {"\xC3", "\xA4", "\xC0\x80", "\xED\xA0\x80", "a\xFF"})
        EXPECT_FALSE(is_utf8(wrong)) << wrong;
}

TEST(Strings, UuidsAreVersionFourAndDistinct) {
    const std::string a = uuid4();
    EXPECT_THAT(a, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_NE(a, uuid4());
}

TEST(Strings, ParsesOnlyWholeIntegers) {
    EXPECT_EQ(parse_integer("-12"), -12);
    for (const char* text : {"", " 1", "1 ", "0x1", "1.0", "99999999999999999999"})
        EXPECT_FALSE(parse_integer(text)) << text;
}

}  // namespace
}  // namespace nodeagent
