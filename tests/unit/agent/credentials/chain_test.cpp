#include "agent/credentials/chain.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "agent/base/files.hpp"
#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/time_format.hpp"
#include "agent/credentials/process.hpp"
#include "agent/credentials/profile.hpp"
#include "outcome.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::credentials {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

constexpr const char* kRoles = "*/meta-data/iam/security-credentials/";
constexpr const char* kRole = "*/meta-data/iam/security-credentials/web";

class ChainTest : public testing::Test {
  protected:
    ChainTest() {
        log::set_sink([](log::Level, std::string_view) {});
        environment["HOME"] = home;
        fs::create_directory(home / ".aws");
        http.on("PUT", "*/latest/api/token").reply(200, "t", {{"x-aws-ec2-metadata-token-ttl-seconds", "300"}});
        http.on("GET", kRoles).reply(404);
    }

    void build(bool external = false) {
        ChainOptions options;
        options.environment = environment;
        options.external = external;
        options.alternate_profile = alternate;
        options.rotating_file = home / "rotating";
        provider = make_provider(options, http, imds, pool, clock);
    }
    Result<AwsCredentials> get() { return outcome_of(io, clock, provider->get()); }
    std::string key() {
        const Result<AwsCredentials> got = get();
        return got ? got->access_key_id : "none: " + got.error().what;
    }
    void write(const std::string& name, std::string_view text) { ASSERT_TRUE(replace_file(home / name, text)); }
    [[nodiscard]] std::string answer(const std::string& key_id, std::chrono::seconds lives) const {
        return R"({"Code":"Success","AccessKeyId":")" + key_id +
               R"(","SecretAccessKey":"hush","Token":"tok","Expiration":")" +
               rfc3339_seconds(clock.now().wall + lives) + "\"}";
    }
    void give_role() {
        http.on("GET", kRoles).reply(200, "web\nother");
        http.on("GET", kRole).answer([this](const net::HttpRequest&) {
            net::HttpResponse response;
            response.status = 200;
            response.body = answer("ROLE" + std::to_string(++issued), 6h);
            return Result<net::HttpResponse>(response);
        });
    }

    asio::io_context io;
    fakes::ManualClock clock;
    fakes::FakeHttpClient http;
    BlockingPool pool{1};
    Imds imds{http, clock, ImdsOptions{}};
    fakes::TempDirectory directory;
    fs::path home = directory.path();
    config::Environment environment;
    std::string alternate = "default";
    std::unique_ptr<Provider> provider;
    int issued = 0;
};

TEST_F(ChainTest, TakesTheEnvironmentFirst) {
    environment["AWS_ACCESS_KEY_ID"] = "ENV";
    environment["AWS_SECRET_ACCESS_KEY"] = "s";
    environment["AWS_SESSION_TOKEN"] = "t";
    write(".aws/credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n");
    build();
    const Result<AwsCredentials> got = get();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->access_key_id, "ENV");
    EXPECT_EQ(got->session_token.reveal(), "t");
    EXPECT_FALSE(got->expires_at);
}

TEST_F(ChainTest, PassesOverAKeyIdWithoutASecret) {
    environment["AWS_ACCESS_KEY_ID"] = "ENV";
    write(".aws/credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n");
    build();
    EXPECT_EQ(key(), "FILE");
}

TEST_F(ChainTest, ReadsTheProfileTheEnvironmentNames) {
    environment["AWS_PROFILE"] = "ops";
    environment["AWS_SHARED_CREDENTIALS_FILE"] = home / "elsewhere";
    write("elsewhere",
          "[default]\naws_access_key_id=A\naws_secret_access_key=s\n[ops]\naws_access_key_id = "
          "B\naws_secret_access_key = s # x\n");
    build();
    EXPECT_EQ(key(), "B");
}

TEST_F(ChainTest, ReadsKeysFromTheConfigFileToo) {
    environment["AWS_PROFILE"] = "ops";
    write(".aws/config", "[profile ops]\naws_access_key_id=C\naws_secret_access_key=s\n");
    build();
    EXPECT_EQ(key(), "C");
}

TEST_F(ChainTest, RunsTheCredentialProcess) {
    write(".aws/config",
          "[default]\ncredential_process = echo "
          "'{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\"}'\n");
    build();
    std::optional<Result<AwsCredentials>> got;
    start(io, provider->get(), got);
    io.restart();
    io.run();  // the process is real, so is the wait
    ASSERT_TRUE(got && *got) << (*got ? "" : got->error().what);
    EXPECT_EQ((*got)->access_key_id, "P");
    EXPECT_EQ((*got)->session_token.reveal(), "t");
}

TEST_F(ChainTest, SaysWhatItDoesNotSupport) {
    environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/var/run/token";
    write(".aws/config", "[default]\nsso_session = corp\n");
    build();
    const Result<AwsCredentials> got = get();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::Denied);
    EXPECT_THAT(got.error().what, HasSubstr("does not support web identity"));
    EXPECT_THAT(got.error().what, HasSubstr("has sso_session, which this agent does not support"));
}

TEST_F(ChainTest, NamesEverySourceItTried) {
    build();
    const Result<AwsCredentials> got = get();
    ASSERT_FALSE(got);
    for (const char* source : {"environment", "shared credentials files", "container credentials endpoint",
                               "the instance has no role", "rotating file"}) {
        EXPECT_THAT(got.error().what, HasSubstr(source));
    }
}

TEST_F(ChainTest, AsksTheContainerEndpointWithItsToken) {
    environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/1";
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "ignored";
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = home / "token";
    write("token", "from-file\n");
    http.on("GET", "http://169.254.170.2/v2/credentials/1").reply(500).reply(200, answer("CONTAINER", 1h));
    build();
    EXPECT_EQ(key(), "CONTAINER");
    EXPECT_THAT(http.requests.back().headers, Contains(Pair("Authorization", "from-file")));
}

TEST_F(ChainTest, SendsNoTokenOverPlainHttpToTheWorld) {
    environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "t";
    for (const char* url : {"http://example.com/c", "http://169.254.170.2@example.com/c", "ftp://localhost/"}) {
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
        build();
        EXPECT_THAT(key(), HasSubstr("must be https")) << url;
    }
    EXPECT_EQ(http.count("GET", "*/c"), 0U);
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://[::1]:8080/c";
    http.on("GET", "http://[::1]:8080/c").reply(200, answer("LOCAL", 1h));
    build();
    EXPECT_EQ(key(), "LOCAL");
}

TEST_F(ChainTest, RefreshesTheInstanceRoleHourly) {
    give_role();
    build();
    EXPECT_EQ(key(), "ROLE1");
    clock.advance(59min);
    EXPECT_EQ(key(), "ROLE1");
    clock.advance(1min);
    EXPECT_EQ(key(), "ROLE2");
}

/// A clock whose wall time somebody sets.
class SetClock final : public Clock {
  public:
    explicit SetClock(Clock& real) : real_(real) {}
    [[nodiscard]] Instant now() const override {
        Instant now = real_.now();
        now.wall += set_by;
        return now;
    }
    asio::awaitable<void> sleep_until(SteadyTime when) override { return real_.sleep_until(when); }
    std::chrono::seconds set_by{0};

  private:
    Clock& real_;
};

TEST_F(ChainTest, AClockThatIsSetBackLengthensNoLife) {
    give_role();
    SetClock set(clock);
    ChainOptions options;
    options.environment = environment;
    provider = make_provider(options, http, imds, pool, set);
    EXPECT_EQ(key(), "ROLE1");
    set.set_by = -7200s;
    clock.advance(59min);
    EXPECT_EQ(key(), "ROLE1");
    clock.advance(1min);
    EXPECT_EQ(key(), "ROLE2");
}

TEST_F(ChainTest, BridgesAnOutageOfTheMetadataServiceWithTheOldRole) {
    give_role();
    build();
    EXPECT_EQ(key(), "ROLE1");
    clock.advance(1h);
    http.on("GET", kRoles).reply(500);
    const Result<AwsCredentials> got = get();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->access_key_id, "ROLE1");
    const auto more = *got->expires_at - clock.now().wall;
    EXPECT_GE(more, 4min);
    EXPECT_LE(more, 15min);
    provider->invalidate();
    EXPECT_THAT(key(), HasSubstr("none")) << "invalidated means gone";
}

TEST_F(ChainTest, SharesOneRefreshBetweenSimultaneousCalls) {
    give_role();
    build();
    http.hold();
    std::optional<Result<AwsCredentials>> first;
    std::optional<Result<AwsCredentials>> second;
    start(io, provider->get(), first);
    start(io, provider->get(), second);
    fakes::run_until_idle(io);
    EXPECT_FALSE(first || second);
    http.release();
    fakes::run_until_idle(io);
    ASSERT_TRUE(first && second && *first && *second);
    EXPECT_EQ((*first)->access_key_id, "ROLE1");
    EXPECT_EQ((*second)->access_key_id, "ROLE1");
    EXPECT_EQ(issued, 1);
}

asio::awaitable<void> drop(Provider& provider) { (void)co_await provider.get(); }

TEST_F(ChainTest, LetsAWaiterTakeOverWhenTheFirstCallerIsCancelled) {
    give_role();
    build();
    http.hold();
    Scope scope(io.get_executor());
    scope.spawn(drop(*provider));
    fakes::run_until_idle(io);
    std::optional<Result<AwsCredentials>> second;
    start(io, provider->get(), second);
    fakes::run_until_idle(io);
    scope.cancel();
    fakes::run_until_idle(io);
    EXPECT_EQ(scope.size(), 0U);
    http.release();
    fakes::run_until_idle(io);
    ASSERT_TRUE(second && *second);
    EXPECT_EQ((*second)->access_key_id, "ROLE1");
}

TEST_F(ChainTest, DoesNotKeepWhatWasAskedForBeforeAnInvalidation) {
    give_role();
    build();
    http.hold();
    std::optional<Result<AwsCredentials>> first;
    start(io, provider->get(), first);
    fakes::run_until_idle(io);
    provider->invalidate();
    http.release();
    fakes::run_until_idle(io);
    EXPECT_EQ(key(), "ROLE2");
}

TEST_F(ChainTest, ReadsTheRotatingFileOnceAMinute) {
    alternate = "edge";
    write("rotating",
          "[default]\naws_access_key_id=D\naws_secret_access_key=s\n[edge]\naws_access_key_id=R1\naws_secret_access_"
          "key=s\n");
    build(true);
    EXPECT_EQ(key(), "R1");
    write("rotating", "[edge]\naws_access_key_id=R2\naws_secret_access_key=s\naws_session_token=t\n");
    clock.advance(59s);
    EXPECT_EQ(key(), "R1");
    clock.advance(1s);
    EXPECT_EQ(key(), "R2");
}

TEST_F(ChainTest, PutsTheRotatingFileBeforeTheSharedOneOnExternalInstancesOnly) {
    write("rotating", "[default]\naws_access_key_id=ROTATING\naws_secret_access_key=s\n");
    write(".aws/credentials", "[default]\naws_access_key_id=SHARED\naws_secret_access_key=s\n");
    build(true);
    EXPECT_EQ(key(), "ROTATING");
    build(false);
    EXPECT_EQ(key(), "SHARED");
}

TEST_F(ChainTest, KeepsSecretsOutOfItsErrors) {
    give_role();
    http.on("GET", kRole).reply(200, R"({"Code":"Success","SecretAccessKey":"hush","Token":"hush"})");
    write("rotating", "[default]\naws_secret_access_key=hush\n");
    build();
    const Result<AwsCredentials> got = get();
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error().what, HasSubstr("no AccessKeyId"));
    EXPECT_THAT(got.error().what, Not(HasSubstr("hush")));
}

TEST_F(ChainTest, PassesOnWhatTheServiceSaysIsWrong) {
    give_role();
    http.on("GET", kRole)
        .reply(200, R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"})");
    build();
    EXPECT_THAT(key(), HasSubstr("AssumeRoleUnauthorizedAccess: EC2 cannot assume the role"));
}

TEST(ProfileTest, FindsSectionsAndSkipsNestedBlocksAndComments) {
    constexpr std::string_view text =
        "# aws_access_key_id = no\n[profile a]\nregion=r\ns3 =\n    addressing_style = path\nKEY = with#hash ; "
        "note\nno equals\n = no key\n= none\n"
        "[a]\nregion=other\n";
    const std::optional<Profile> in_config = find_profile(text, "a", ProfileFile::Config);
    ASSERT_TRUE(in_config);
    EXPECT_EQ(in_config->at("region"), "r");
    EXPECT_EQ(in_config->at("key"), "with#hash");
    EXPECT_FALSE(in_config->contains("addressing_style"));
    EXPECT_FALSE(in_config->contains(""));
    EXPECT_EQ(find_profile(text, "a", ProfileFile::Credentials)->at("region"), "other");
    EXPECT_FALSE(find_profile(text, "b", ProfileFile::Config));
}

TEST(ProcessTest, TellsAFailureFromATimeout) {
    EXPECT_EQ(*output_of("printf ok", 10s), "ok");
    EXPECT_THAT(output_of("exit 3", 10s).error().what, HasSubstr("exited with 3"));
    const Result<std::string> late = output_of("sleep 1000", 1ms);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::Timeout);
}

}  // namespace
}  // namespace nodeagent::credentials
