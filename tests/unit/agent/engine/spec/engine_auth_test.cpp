#include "agent/engine/spec/engine_auth.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nodeagent::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

EngineAuth docker_auth() {
    const auto auth = EngineAuth::parse("docker", Secret(R"({
        "https://index.docker.io/v1/":{"username":"hub","password":"p","email":"e@x"},
        "registry.tld":{"username":"tld","password":"p"},
        "other.tld/team":{"username":"team","password":"p"},
        "other.tld/team/sub":{"username":"sub","password":"p"},
        "http://localhost:5000":{"username":"local","password":"p"}})"));
    EXPECT_TRUE(auth);
    return *auth;
}
std::string user_for(std::string_view image) { return docker_auth().find(image).username; }

TEST(EngineAuth, KnowsDockerHubByAllItsNames) {
    EXPECT_EQ(user_for("busybox"), "hub");
    EXPECT_EQ(user_for("team/image:tag"), "hub");
    EXPECT_EQ(user_for("docker.io/library/busybox"), "hub");
    EXPECT_EQ(user_for("index.docker.io/a/b"), "hub");
    EXPECT_EQ(user_for("registry-1.docker.io/a/b"), "hub");
    EXPECT_EQ(docker_auth().find("busybox").email, "e@x");
}

TEST(EngineAuth, FindsTheHostOrElseTheLongestPrefix) {
    EXPECT_EQ(user_for("registry.tld/x/y"), "tld");
    EXPECT_EQ(user_for("other.tld/team/image"), "team");
    EXPECT_EQ(user_for("other.tld/team/sub/image"), "sub");
    EXPECT_EQ(user_for("other.tld/image"), "");
    EXPECT_EQ(user_for("localhost:5000/image"), "local");
    EXPECT_EQ(user_for("nobody.tld/image"), "");
}

TEST(EngineAuth, ReadsUserAndPasswordOutOfADockercfg) {
    const auto auth = EngineAuth::parse("dockercfg", Secret(R"({"r.tld":{"auth":"dXNlcjpwYTpzcw==","email":"e"}})"));
    ASSERT_TRUE(auth);
    EXPECT_EQ(auth->find("r.tld/i").username, "user");
    EXPECT_EQ(auth->find("r.tld/i").password.reveal(), "pa:ss");
}

TEST(EngineAuth, IsAnonymousWithoutSettings) {
    EXPECT_TRUE(EngineAuth::parse("", Secret("{}"))->find("busybox").empty());
}

TEST(EngineAuth, NamesWhatIsWrongWithoutTellingTheSecret) {
    EXPECT_THAT(EngineAuth::parse("vault", Secret("{}")).error().what, HasSubstr("expected docker or dockercfg"));
    for (const auto& [type, data] : {std::pair{"docker", "hunter2"}, std::pair{"docker", R"({"r":"hunter2"})"},
                                     std::pair{"dockercfg", R"({"r":{"auth":"hunter2"}})"}}) {
        const auto parsed = EngineAuth::parse(type, Secret(data));
        ASSERT_FALSE(parsed);
        EXPECT_EQ(parsed.error().kind, ErrorKind::Malformed);
        EXPECT_THAT(parsed.error().what, HasSubstr("ECS_ENGINE_AUTH_DATA"));
        EXPECT_THAT(parsed.error().what, Not(HasSubstr("hunter2")));
    }
}

TEST(RegistryHost, IsTheFirstComponentThatLooksLikeOne) {
    EXPECT_EQ(registry_host("a/b"), "");
    EXPECT_EQ(registry_host("a.b/c"), "a.b");
    EXPECT_EQ(registry_host("localhost/c"), "localhost");
    EXPECT_EQ(registry_host("h:5000/c:tag"), "h:5000");
    EXPECT_EQ(registry_host("busybox:1.2"), "");
}

}  // namespace
}  // namespace nodeagent::engine
