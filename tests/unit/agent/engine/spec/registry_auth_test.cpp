#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "agent/engine/spec/ecr_client.hpp"
#include "agent/engine/spec/ecr_tokens.hpp"
#include "agent/engine/spec/engine_auth.hpp"
#include "agent/engine/spec/registry_auth.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent::engine {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::Not;

class InstanceCredentials final : public credentials::Provider {
  public:
    asio::awaitable<Result<credentials::AwsCredentials>> get() override {
        credentials::AwsCredentials own;
        own.access_key_id = "INSTANCE";
        co_return own;
    }
    void invalidate() override {}
};

class ScriptedEcr final : public EcrApi {
  public:
    explicit ScriptedEcr(Clock& clock) : clock_(clock) {}
    asio::awaitable<Result<EcrToken>> authorization_token(model::EcrAuthData request,
                                                          credentials::AwsCredentials signer) override {
        signers.push_back(signer.access_key_id);
        if (failure) co_return *failure;
        EcrToken token;
        token.auth.username = "AWS";
        token.auth.password = Secret("token-" + std::to_string(signers.size()));
        token.auth.server_address = "https://" + request.registry_id + ".dkr.ecr";
        token.expires_at = clock_.now().wall + hours(12);
        co_return token;
    }
    std::vector<std::string> signers;
    std::optional<Error> failure;

  private:
    Clock& clock_;
};

class RegistryAuthTest : public ::testing::Test {
  protected:
    RegistryAuthResult find(RegistryAuthRequest request) {
        std::optional<RegistryAuthResult> result;
        asio::io_context io;
        asio::co_spawn(io, source->find(std::move(request)),
                       [&result](std::exception_ptr, RegistryAuthResult found) { result = std::move(found); });
        io.run();
        return std::move(*result);
    }
    std::string password(const RegistryAuthRequest& request) {
        const auto found = find(request);
        return found ? found->password.reveal() : found.error().name + ": " + found.error().message;
    }
    static RegistryAuthRequest ecr(const std::string& registry, bool execution_role = false) {
        model::EcrAuthData where;
        where.region = "us-west-2";
        where.registry_id = registry;
        where.use_execution_role = execution_role;
        model::RegistryAuthentication authentication;
        authentication.type = "ecr";
        authentication.ecr_auth_data = where;
        return {.image = registry + ".dkr.ecr/x", .authentication = authentication, .execution_credentials_id = "EX"};
    }

    fakes::ManualClock clock;
    ScriptedEcr api{clock};
    InstanceCredentials instance;
    credentials::Registry roles;
    EcrTokens tokens{api, instance, roles, clock};
    std::unique_ptr<RegistryAuthSource> source = make_registry_auth_source({}, &tokens);
};

TEST_F(RegistryAuthTest, KeepsATokenForTheNextPull) {
    EXPECT_EQ(password(ecr("1")), "token-1");
    EXPECT_EQ(password(ecr("1")), "token-1");
    EXPECT_EQ(password(ecr("2")), "token-2");
    EXPECT_EQ(find(ecr("1"))->server_address, "https://1.dkr.ecr");
}

TEST_F(RegistryAuthTest, AsksAgainWhenATokenIsAboutToExpire) {
    EXPECT_EQ(password(ecr("1")), "token-1");
    clock.advance(hours(11) - minutes(1));
    EXPECT_EQ(password(ecr("1")), "token-1");
    clock.advance(minutes(32));
    EXPECT_EQ(password(ecr("1")), "token-2");
}

TEST_F(RegistryAuthTest, ForgetsTheTokenUsedLongestAgoWhenThereAreTooMany) {
    for (int i = 0; i < 100; ++i) password(ecr(std::to_string(i)));
    password(ecr("0"));
    password(ecr("new"));
    EXPECT_EQ(password(ecr("0")), "token-1");
    EXPECT_EQ(password(ecr("1")), "token-102");
}

TEST_F(RegistryAuthTest, SignsWithTheExecutionRoleWhenAsked) {
    credentials::TaskRoleCredentials role;
    role.task_arn = "t";
    role.role.credentials_id = "EX";
    role.role.access_key_id = "ROLE";
    roles.put(role);
    EXPECT_EQ(password(ecr("1", true)), "token-1");
    EXPECT_EQ(password(ecr("1", false)), "token-2");
    EXPECT_EQ(api.signers, (std::vector<std::string>{"ROLE", "INSTANCE"}));
}

TEST_F(RegistryAuthTest, FailsByNameWithoutExecutionCredentials) {
    EXPECT_EQ(password(ecr("1", true)), "CannotPullECRContainerError: engine ecr credentials: not found");
}

TEST_F(RegistryAuthTest, FailsByNameWhenEcrRefuses) {
    api.failure = Error{.kind = ErrorKind::Denied, .what = "AccessDeniedException: no"};
    EXPECT_EQ(password(ecr("1")), "CannotPullECRContainerError: AccessDeniedException: no");
}

TEST_F(RegistryAuthTest, UsesTheInstancesOwnCredentialsForOtherRegistries) {
    auto own = EngineAuth::parse("docker", Secret(R"({"r.tld":{"username":"u","password":"own"}})"));
    source = make_registry_auth_source(std::move(*own), &tokens);
    EXPECT_EQ(password({.image = "r.tld/i", .authentication = {}, .execution_credentials_id = {}}), "own");
    EXPECT_TRUE(find({.image = "busybox", .authentication = {}, .execution_credentials_id = {}})->empty());
}

TEST_F(RegistryAuthTest, UsesWhatWasFetchedFromSecretsManagerAndFailsByNameWithoutIt) {
    model::RegistryAuthentication authentication;
    authentication.type = "asm";
    RegistryAuthRequest request;
    request.image = "r.tld/i";
    request.authentication = authentication;
    const auto found = find(request);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().name, "CannotPullContainerAuthError");
    EXPECT_EQ(found.error().message, "engine docker private registry credentials: not found");
    request.fetched = runtime::RegistryAuth{"u", Secret("fetched"), {}, {}};
    EXPECT_EQ(password(request), "fetched");
}

TEST(EcrAuthorizationToken, IsUserAndPasswordInBase64) {
    const auto token = parse_authorization_token(
        R"({"authorizationData":[{"authorizationToken":"QVdTOnNlY3JldA==","expiresAt":1.7E9,"proxyEndpoint":"https://p"}]})");
    ASSERT_TRUE(token);
    EXPECT_EQ(token->auth.username, "AWS");
    EXPECT_EQ(token->auth.password.reveal(), "secret");
    EXPECT_EQ(token->auth.server_address, "https://p");
    EXPECT_EQ(std::chrono::system_clock::to_time_t(*token->expires_at), 1'700'000'000);
}

TEST(EcrAuthorizationToken, IsMalformedWhenThereIsNotExactlyOne) {
    for (const char* body : {R"({"authorizationData":[]})", "{}", "null", "hunter2",
                             R"({"authorizationData":[{"authorizationToken":"hunter2","proxyEndpoint":"p"}]})"}) {
        const auto token = parse_authorization_token(body);
        ASSERT_FALSE(token) << body;
        EXPECT_EQ(token.error().kind, ErrorKind::Malformed);
        EXPECT_THAT(token.error().what, Not(HasSubstr("hunter2")));
    }
}

}  // namespace
}  // namespace nodeagent::engine
