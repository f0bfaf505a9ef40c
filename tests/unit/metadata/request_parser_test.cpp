#include "metadata/request_parser.hpp"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>

namespace nodeagent::metadata {
namespace {

class RequestParserTest : public ::testing::Test {
  protected:
    boost::system::error_code read(const std::string& text) {
        parser.header_limit(1U << 20U);
        parser.eager(true);
        boost::system::error_code failure;
        parser.put(boost::asio::buffer(text), failure);
        return failure;
    }
    RequestParser parser;
};

TEST_F(RequestParserTest, KeepsTheFirstOfEachHeaderThatCounts) {
    ASSERT_FALSE(
        read("GET /a HTTP/1.1\r\nhost: x\r\nUSER-AGENT: one\r\nUser-Agent: two\r\nx-forwarded-for: 10.0.0.1\r\n"
             "X-Forwarded-For: 10.0.0.2\r\nExpect: 100-continue\r\nHost: y\r\nConnection: close\r\n\r\n"));
    EXPECT_EQ(parser.hosts(), 2U);
    EXPECT_EQ(parser.user_agent(), "one");
    EXPECT_EQ(parser.forwarded_for(), "10.0.0.1");
    EXPECT_EQ(parser.expectation(), "100-continue");
    EXPECT_FALSE(parser.keep_alive());
}

TEST_F(RequestParserTest, KeepsNothingOfOtherHeadersHoweverManyThereAre) {
    std::string many;
    for (int i = 0; i < 100'000; ++i) many += "a:\r\n";
    for (int i = 0; i < 10'000; ++i) many += "Host:x\r\nUser-Agent:u\r\n";
    ASSERT_FALSE(read("GET /a HTTP/1.1\r\n" + many + "\r\n"));
    EXPECT_LT(parser.kept_bytes(), 16U);
    EXPECT_EQ(parser.get().begin(), parser.get().end());
}

TEST_F(RequestParserTest, TakesNoHeaderFromBehindTheBody) {
    ASSERT_FALSE(
        read("PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: y\r\nUser-Agent: u\r\n\r\n"));
    EXPECT_TRUE(parser.is_done());
    EXPECT_EQ(parser.hosts(), 1U);
    EXPECT_EQ(parser.user_agent(), "");
}

}  // namespace
}  // namespace nodeagent::metadata
