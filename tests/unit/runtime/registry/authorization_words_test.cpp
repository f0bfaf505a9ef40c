#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/registry/challenge.hpp"
#include "runtime/registry/endpoint.hpp"
#include "runtime/registry/refusal.hpp"
#include "runtime/registry/token.hpp"

namespace nodeagent::runtime::registry {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(Challenges, AreReadInAllTheirForms) {
    const auto one = parse_challenges(
        R"(Bearer realm="https://auth.example/token?a=1,2",service="reg \"x\"",scope="repository:a/b:pull,push")");
    ASSERT_EQ(one.size(), 1U);
    EXPECT_EQ(one[0].scheme, "bearer");
    EXPECT_THAT(one[0].values,
                UnorderedElementsAre(Pair("realm", "https://auth.example/token?a=1,2"), Pair("service", R"(reg "x")"),
                                     Pair("scope", "repository:a/b:pull,push")));
    const auto two = parse_challenges(R"(Negotiate, BASIC Realm=plain , Bearer realm = "r", error=invalid_token)");
    ASSERT_EQ(two.size(), 3U);
    EXPECT_EQ(two[0].scheme, "negotiate");
    EXPECT_EQ(two[1].values.at("realm"), "plain");
    EXPECT_EQ(two[2].values.at("error"), "invalid_token");
}

TEST(Challenges, RubbishEndsThem) {
    EXPECT_THAT(parse_challenges(""), IsEmpty());
    EXPECT_THAT(parse_challenges("\"\"\""), IsEmpty());
    EXPECT_THAT(parse_challenges(R"(Bearer realm="never closed)"), IsEmpty());
    EXPECT_THAT(parse_challenges("Bearer " + std::string(10000, 'x')), IsEmpty());
}

TEST(TokenUrl, AsksForEachScopeWithTheService) {
    const Challenge challenge{.scheme = "bearer",
                              .values = {{"realm", "https://auth.example/token?x=1"},
                                         {"service", "my registry"},
                                         {"scope", "repository:a:pull repository:b:pull"}}};
    EXPECT_EQ(
        *token_url(challenge, "a"),
        "https://auth.example/token?x=1&service=my%20registry&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull");
    EXPECT_EQ(*token_url({.scheme = "bearer", .values = {{"realm", "https://auth.example/t"}}}, "team/web"),
              "https://auth.example/t?scope=repository%3Ateam%2Fweb%3Apull");
}

TEST(TokenUrl, IsNoneForAnythingButHttp) {
    for (const char* realm : {"", "file:///etc/shadow", "ftp://a", "https://a b", "https://a\r\nX: y", "//a/b"}) {
        EXPECT_FALSE(token_url({.scheme = "bearer", .values = {{"realm", realm}}}, "a")) << realm;
    }
}

TEST(TokenAnswer, EitherNameIsTaken) {
    EXPECT_EQ(parse_token(R"({"token": "abc", "access_token": "def", "expires_in": 300})")->value.reveal(), "abc");
    const auto other = parse_token(R"({"access_token": "def"})");
    EXPECT_EQ(other->value.reveal(), "def");
    EXPECT_EQ(other->lifetime, seconds(60));
    EXPECT_EQ(parse_token(R"({"token": "abc", "expires_in": 300})")->lifetime, seconds(300));
    EXPECT_EQ(parse_token(R"({"token": "abc", "expires_in": -5})")->lifetime, seconds(60));
    EXPECT_EQ(parse_token(R"({"token": "abc", "expires_in": 18446744073709551615})")->lifetime, seconds(86400));
}

TEST(TokenAnswer, OneThatCannotBeUsedIsRefusedAndNotPrinted) {
    EXPECT_EQ(parse_token("{}").error().kind, ErrorKind::Denied);
    for (const std::string& answer :
         {std::string(R"({"token": "sec\r\nret: x"})"), R"({"token": ")" + std::string(70000, 'x') + "\"}",
          std::string(R"({"token": "secret", )"), std::string(R"(["secret"])"), std::string(300000, ' ')}) {
        const auto token = parse_token(answer);
        ASSERT_FALSE(token);
        EXPECT_EQ(token.error().kind, ErrorKind::Malformed);
        EXPECT_THAT(token.error().what, Not(HasSubstr("sec")));
        EXPECT_LT(token.error().what.size(), 200U);
    }
}

// ---- refusals

Error refused(int status, const std::string& body, bool insufficient = false) {
    return refusal(status, body, insufficient, *parse_reference("registry.example/team/web:1"),
                   "Get \"https://registry.example/v2/team/web/manifests/1\"");
}

TEST(Refusal, HasDockersWords) {
    EXPECT_EQ(refused(404, R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]})").what,
              "manifest for registry.example/team/web:1 not found: manifest unknown: manifest unknown");
    EXPECT_EQ(refused(404, R"({"errors":[{"code":"NAME_UNKNOWN","message":"no such"}]})").what,
              "repository registry.example/team/web not found: name unknown: no such");
    EXPECT_EQ(
        refused(401, R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})", true).what,
        "pull access denied for registry.example/team/web, repository does not exist or may require 'docker login': "
        "denied: requested access to the resource is denied");
    EXPECT_EQ(refused(401, "").what, "unauthorized: authentication required");
    const std::string ecr =
        "User: arn:aws:iam::1:role/x is not authorized to perform: ecr:BatchGetImage on resource: y";
    EXPECT_THAT(refused(403, R"({"errors":[{"code":"DENIED","message":")" + ecr + R"("}]})").what,
                HasSubstr("denied: " + ecr));
    EXPECT_EQ(refused(429, R"({"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]})").what,
              "toomanyrequests: slow down");
}

TEST(Refusal, HasTheKindTheEngineActsOn) {
    EXPECT_EQ(refused(404, "").kind, ErrorKind::NotFound);
    EXPECT_EQ(refused(401, "").kind, ErrorKind::Denied);
    EXPECT_EQ(refused(403, "<html>no</html>").kind, ErrorKind::Denied);
    EXPECT_EQ(refused(429, "").kind, ErrorKind::Throttled);
    EXPECT_EQ(refused(503, "").kind, ErrorKind::Unavailable);
    EXPECT_EQ(refused(400, "").kind, ErrorKind::Malformed);
}

TEST(Refusal, NamesTheRequestWhereTheRegistrySaysNothing) {
    EXPECT_EQ(refused(502, "<html>").what,
              "Get \"https://registry.example/v2/team/web/manifests/1\": received unexpected HTTP status: 502");
}

TEST(Refusal, AHostileMessageIsShortAndPrintable) {
    const std::string text = refused(404, R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"a\nb\u001b[2J)" +
                                              std::string(5000, 'x') + "\"}]}")
                                 .what;
    EXPECT_THAT(text, Not(HasSubstr("\n")));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_LT(text.size(), 1200U);
}

// ---- endpoints

TEST(Endpoints, AMirrorIsAskedFirstAndGetsNoCredentialsOfTheRegistry) {
    RegistryOptions options;
    options.mirrors["docker.io"] = {"https://mirror.example/hub/", "mirror2.example:5000"};
    const auto all = endpoints_of("docker.io", options, "index.docker.io");
    ASSERT_EQ(all.size(), 3U);
    EXPECT_THAT(all[0].bases, ElementsAre("https://mirror.example/hub"));
    EXPECT_FALSE(all[0].takes_credentials);
    EXPECT_EQ(all[0].mirrored, "docker.io");
    EXPECT_THAT(all[1].bases, ElementsAre("https://mirror2.example:5000"));
    EXPECT_THAT(all[2].bases, ElementsAre("https://registry-1.docker.io"));
    EXPECT_TRUE(all[2].takes_credentials);
    EXPECT_TRUE(endpoints_of("docker.io", options, "https://mirror.example")[0].takes_credentials);
}

TEST(Endpoints, PlainHttpIsForLoopbackAndForThoseThatAreListed) {
    const std::vector<std::string> listed{"registry.local:5000", "10.1.0.0/16", "fd00::/8"};
    for (const char* host : {"localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000",
                             "registry.local:5000", "Registry.Local:5000", "10.1.2.3:5000", "[fd00::1]:5000"}) {
        EXPECT_TRUE(is_insecure(host, listed)) << host;
    }
    for (const char* host : {"registry.local", "registry.local:5001", "10.2.0.1", "128.0.0.1", "localhost.example",
                             "127.0.0.1.example", "[fe00::1]"}) {
        EXPECT_FALSE(is_insecure(host, listed)) << host;
    }
    EXPECT_THAT(endpoints_of("10.1.2.3", {.insecure = listed}, "")[0].bases,
                ElementsAre("https://10.1.2.3", "http://10.1.2.3"));
}

TEST(Endpoints, TheSameOriginIsToldFromAnother) {
    EXPECT_EQ(origin_of("https://Host.example/a"), origin_of("https://host.example:443/b?c"));
    EXPECT_NE(origin_of("https://host.example/"), origin_of("http://host.example/"));
    EXPECT_NE(origin_of("https://host.example/"), origin_of("https://host.example:8443/"));
    EXPECT_NE(origin_of("https://host.example/"), origin_of("https://host.example@evil.example/"));
}

}  // namespace
}  // namespace nodeagent::runtime::registry
