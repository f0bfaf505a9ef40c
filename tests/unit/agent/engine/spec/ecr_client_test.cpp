#include "agent/engine/spec/ecr_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent::engine {
namespace {

using ::testing::HasSubstr;

class EcrClientTest : public ::testing::Test {
  protected:
    Result<EcrToken> ask(model::EcrAuthData request) {
        credentials::AwsCredentials signer;
        signer.access_key_id = "AKIDEXAMPLE";
        signer.secret_access_key = Secret("secret");
        EcrClient client(http, clock, {}, "test");
        std::optional<Result<EcrToken>> result;
        asio::io_context io;
        asio::co_spawn(io, client.authorization_token(std::move(request), std::move(signer)),
                       [&result](std::exception_ptr, Result<EcrToken> token) { result = std::move(token); });
        io.run();
        return std::move(*result);
    }
    static model::EcrAuthData where() {
        model::EcrAuthData request;
        request.region = "us-west-2";
        request.registry_id = "123456789012";
        return request;
    }
    static constexpr const char* kToken =
        R"({"authorizationData":[{"authorizationToken":"QVdTOnNlY3JldA==","proxyEndpoint":"https://p"}]})";
    fakes::FakeHttpClient http;
    fakes::ManualClock clock;
};

TEST_F(EcrClientTest, AsksTheRegionsEndpointForTheRegistrysToken) {
    net::HttpRequest seen;
    http.on("POST", "https://api.ecr.us-west-2.amazonaws.com*").answer([&seen](const net::HttpRequest& request) {
        seen = request;
        net::HttpResponse response;
        response.status = 200;
        response.body = kToken;
        return Result<net::HttpResponse>(response);
    });
    const auto token = ask(where());
    ASSERT_TRUE(token) << token.error().what;
    EXPECT_EQ(token->auth.username, "AWS");
    EXPECT_EQ(seen.body, R"({"registryIds":["123456789012"]})");
    std::map<std::string, std::string> headers(seen.headers.begin(), seen.headers.end());
    EXPECT_EQ(headers["X-Amz-Target"], "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
    EXPECT_THAT(headers["Authorization"], HasSubstr("AKIDEXAMPLE/20260101/us-west-2/ecr/aws4_request"));
}

TEST_F(EcrClientTest, AsksTheEndpointThePayloadNames) {
    http.on("POST", "https://ecr.example*").reply(200, kToken);
    model::EcrAuthData request = where();
    request.endpoint_override = "ecr.example";
    EXPECT_TRUE(ask(request));
}

TEST_F(EcrClientTest, SaysWhatEcrSaid) {
    http.on("POST", "*").reply(400, R"({"__type":"AccessDeniedException","message":"not yours"})");
    const auto token = ask(where());
    ASSERT_FALSE(token);
    EXPECT_THAT(token.error().what, HasSubstr("AccessDeniedException: not yours"));
}

}  // namespace
}  // namespace nodeagent::engine
