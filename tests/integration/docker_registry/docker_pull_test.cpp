#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/docker/mapping.hpp"
#include "tests/integration/docker_backend/docker_world.hpp"
#include "tests/integration/docker_registry/registry.hpp"

namespace nodeagent::runtime::docker {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

class DockerPullTest : public ::testing::Test {
  protected:
    void TearDown() override { world.call("DELETE", "/images/" + pushed() + "?force=1"); }

    [[nodiscard]] std::string repository() const { return registry.address() + "/" + world.name("pushed"); }
    [[nodiscard]] std::string pushed() const { return repository() + ":1"; }
    static RegistryAuth credentials(const char* password = Registry::kPassword) {
        return {.username = Registry::kUser, .password = Secret(password), .email = {}, .server_address = {}};
    }
    void push() {
        ASSERT_TRUE(world.run(backend.tag(world.image(), pushed())));
        const ApiResponse answer = world.call("POST", "/images/" + repository() + "/push?tag=1", {}, {},
                                              {{"X-Registry-Auth", registry_auth_header(credentials(), false)}});
        ASSERT_EQ(answer.status, 200) << answer.body;
        ASSERT_EQ(answer.body.find("error"), std::string::npos) << answer.body;
        ASSERT_TRUE(world.run(backend.remove_image(pushed())));
    }
    Result<void> pull(const std::string& reference, RegistryAuth auth) {
        return world.run(backend.pull(reference, std::move(auth), {}, [this](const PullProgress&) { ++told; }));
    }
    DockerWorld world;
    Registry registry;
    Backend& backend = world.backend();
    int told = 0;
};

TEST_F(DockerPullTest, PullsByTagAndByTheDigestTheRegistryNames) {
    ASSERT_NO_FATAL_FAILURE(push());
    const auto pulled = pull(pushed(), credentials());
    ASSERT_TRUE(pulled) << pulled.error().what;
    EXPECT_GT(told, 0);
    const auto image = world.run(backend.inspect_image(pushed()));
    ASSERT_TRUE(image);

    const auto digest = world.run(backend.resolve_digest(pushed(), credentials(), seconds(60)));
    ASSERT_TRUE(digest) << digest.error().what;
    EXPECT_THAT(image->repo_digests, ::testing::Contains(repository() + "@" + *digest));
    ASSERT_TRUE(world.run(backend.remove_image(pushed())));

    const std::string by_digest = repository() + "@" + *digest;
    ASSERT_TRUE(pull(by_digest, credentials()));
    ASSERT_TRUE(world.run(backend.tag(by_digest, pushed())));
    EXPECT_EQ(world.run(backend.inspect_image(pushed()))->id, image->id);
}

TEST_F(DockerPullTest, IsDeniedWithoutAndWithWrongCredentials) {
    ASSERT_NO_FATAL_FAILURE(push());
    for (const RegistryAuth& auth : {RegistryAuth{}, credentials("wrong")}) {
        const auto pulled = pull(pushed(), auth);
        ASSERT_FALSE(pulled);
        EXPECT_EQ(pulled.error().kind, ErrorKind::Denied) << pulled.error().what;
        const auto digest = world.run(backend.resolve_digest(pushed(), auth, seconds(60)));
        ASSERT_FALSE(digest);
        EXPECT_EQ(digest.error().kind, ErrorKind::Denied) << digest.error().what;
    }
}

TEST_F(DockerPullTest, DoesNotFindAnUnknownImage) {
    const auto pulled = pull(repository() + ":absent", credentials());
    ASSERT_FALSE(pulled);
    EXPECT_EQ(pulled.error().kind, ErrorKind::NotFound) << pulled.error().what;
    const auto digest = world.run(backend.resolve_digest(repository() + ":absent", credentials(), seconds(60)));
    ASSERT_FALSE(digest);
    EXPECT_EQ(digest.error().kind, ErrorKind::NotFound) << digest.error().what;
}

TEST_F(DockerPullTest, SaysWhenThereIsNoRegistry) {
    const auto pulled = pull("127.0.0.1:1/nobody:1", {});
    ASSERT_FALSE(pulled);
    EXPECT_THAT(pulled.error().what, HasSubstr("127.0.0.1:1"));
}

}  // namespace
}  // namespace nodeagent::runtime::docker
