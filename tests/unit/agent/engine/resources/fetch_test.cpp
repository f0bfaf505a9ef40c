// Secrets, registry credentials and environment files against scripted services.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/base/json.hpp"
#include "agent/engine/resources/asm_secrets.hpp"
#include "agent/engine/resources/environment_files.hpp"
#include "agent/engine/resources/s3.hpp"
#include "agent/engine/resources/ssm_secrets.hpp"
#include "agent/engine/resources/task_directories.hpp"
#include "agent/engine/resources/vault.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/manual_clock.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kSecretArn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:db-AbCdEf";

model::ContainerSecret secret(std::string provider, std::string value_from, std::string region = "us-west-2") {
    model::ContainerSecret made;
    made.name = "NAME";
    made.provider = std::move(provider);
    made.value_from = std::move(value_from);
    made.region = std::move(region);
    return made;
}

std::shared_ptr<const model::Task> task_with(std::vector<model::ContainerSecret> secrets) {
    auto task = std::make_shared<model::Task>();
    task->containers.emplace_back();
    task->containers[0].secrets = std::move(secrets);
    return task;
}

class Fetch : public ::testing::Test {
  protected:
    Fetch() {
        signer.access_key_id = "ASIAEXEC";
        signer.secret_access_key = Secret("secret");
        signer.session_token = Secret("token");
    }

    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> result;
        asio::io_context io;
        asio::co_spawn(io, std::move(work), [&result](std::exception_ptr, T value) { result = std::move(value); });
        io.run();
        return std::move(*result);
    }
    /// The call's own body as JSON, for the operation's request number `index`.
    [[nodiscard]] Json request(std::size_t index) const { return Json::parse(http.requests.at(index).body); }
    [[nodiscard]] static std::string header(const net::HttpRequest& request, const std::string& name) {
        for (const auto& [key, value] : request.headers) {
            if (key == name) return value;
        }
        return {};
    }
    Result<std::map<std::string, Secret>> asm_values(std::vector<model::ContainerSecret> secrets) {
        return run(fetch_asm_secrets(access, task_with(std::move(secrets)), signer));
    }
    Result<std::map<std::string, Secret>> ssm_values(std::vector<model::ContainerSecret> secrets) {
        return run(fetch_ssm_secrets(access, task_with(std::move(secrets)), signer));
    }
    EnvironmentFilesWork files(std::vector<std::string> arns) const {
        EnvironmentFilesWork work{.directory = directory + "/envfiles/c/t", .sources = {}, .region = "us-west-2"};
        for (std::string& arn : arns) work.sources.push_back({"s3", std::move(arn)});
        return work;
    }
    Result<void> download_files(const EnvironmentFilesWork& work) {
        return run(fetch_environment_files(access, pool, work, signer));
    }

    fakes::TempDirectory directory;
    fakes::FakeHttpClient http;
    fakes::ManualClock clock;
    BlockingPool pool{1};
    ServiceAccess access{.http = http, .clock = clock, .environment = {}, .ipv6_only = false, .user_agent = "test"};
    credentials::AwsCredentials signer;
};

// ---- Parameter Store

TEST_F(Fetch, ParametersAreAskedForPerRegionInBatchesOfTen) {
    http.on("POST", "https://ssm.*").answer([](const net::HttpRequest& request) {
        Json answer{{"Parameters", Json::array()}, {"InvalidParameters", Json::array()}};
        const Json asked = Json::parse(request.body);
        for (const Json& name : asked["Names"]) {
            answer["Parameters"].push_back({{"Name", name}, {"Value", "value of " + name.get<std::string>()}});
        }
        net::HttpResponse response;
        response.status = 200;
        response.body = answer.dump();
        return Result<net::HttpResponse>(response);
    });
    std::vector<model::ContainerSecret> secrets;
    for (int i = 0; i < 21; ++i) secrets.push_back(secret("ssm", "p" + std::to_string(i)));
    secrets.push_back(secret("ssm", "p0"));  // twice
    secrets.push_back(secret("ssm", "p0", "eu-west-1"));
    const auto values = ssm_values(secrets);
    ASSERT_TRUE(values) << values.error().what;
    EXPECT_EQ(values->size(), 22U);
    EXPECT_EQ(values->at("p20_us-west-2").reveal(), "value of p20");
    EXPECT_EQ(http.count("POST", "https://ssm.us-west-2.amazonaws.com/"), 3U);
    EXPECT_EQ(http.count("POST", "https://ssm.eu-west-1.amazonaws.com/"), 1U);
    EXPECT_EQ(request(0)["WithDecryption"], true);
    EXPECT_EQ(header(http.requests[0], "X-Amz-Target"), "AmazonSSM.GetParameters");
    EXPECT_EQ(header(http.requests[0], "X-Amz-Security-Token"), "token");
}

TEST_F(Fetch, AParameterIsFoundByItsNameItsVersionOrItsArn) {
    const std::string arn = "arn:aws:ssm:us-west-2:123456789012:parameter/a/b";
    const auto values = parse_parameters({"/a/b", "/a/b:3", arn}, R"({"Parameters":[
        {"Name":"/a/b","Value":"plain"},{"Name":"/a/b","Selector":":3","Value":"third"},
        {"Name":"x","ARN":")" + arn + R"(","Value":"by arn"}]})");
    ASSERT_TRUE(values);
    EXPECT_EQ(values->at("/a/b").reveal(), "plain");
    EXPECT_EQ(values->at("/a/b:3").reveal(), "third");
    EXPECT_EQ(values->at(arn).reveal(), "by arn");
}

TEST_F(Fetch, InvalidParametersAreNamed) {
    http.on("POST", "*").reply(200, R"({"Parameters":[{"Name":"c","Value":"v"}],"InvalidParameters":["a","b"]})");
    const auto values = ssm_values({secret("ssm", "a"), secret("ssm", "b"), secret("ssm", "c")});
    ASSERT_FALSE(values);
    EXPECT_EQ(values.error().what,
              "fetching secret data from SSM Parameter Store in us-west-2: invalid parameters: a,b");
}

TEST_F(Fetch, ARefusalIsToldInTheWordsOfTheSdk) {
    http.on("POST", "*")
        .reply(400, R"({"__type":"AccessDeniedException","message":"User: u is not authorized"})",
               {{"x-amzn-RequestId", "r-1"}});
    const auto values = ssm_values({secret("ssm", "a")});
    ASSERT_FALSE(values);
    EXPECT_EQ(values.error().what,
              "fetching secret data from SSM Parameter Store in us-west-2: operation error SSM: GetParameters, https "
              "response error StatusCode: 400, RequestID: r-1, api error AccessDeniedException: User: u is not "
              "authorized");
    EXPECT_EQ(http.requests.size(), 1U) << "asking again would not help";
}

TEST_F(Fetch, AnAnswerThatCannotBeReadIsNotQuoted) {
    http.on("POST", "*").reply(200, R"({"Parameters":[{"Name":"a","Value":"hunter2"},17]})");
    const auto values = ssm_values({secret("ssm", "a")});
    ASSERT_FALSE(values);
    EXPECT_THAT(values.error().what, Not(HasSubstr("hunter2")));
}

// ---- Secrets Manager

TEST_F(Fetch, ASecretIsReferredToByItsArnWithOrWithoutSelectors) {
    const auto whole = parse_secret_reference(kSecretArn);
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->secret_id, kSecretArn);
    const auto selected = parse_secret_reference(kSecretArn + ":key:AWSPREVIOUS:v1");
    ASSERT_TRUE(selected);
    EXPECT_EQ(selected->secret_id, kSecretArn);
    EXPECT_EQ(selected->json_key, "key");
    EXPECT_EQ(selected->version_stage, "AWSPREVIOUS");
    EXPECT_EQ(selected->version_id, "v1");
    const auto empty = parse_secret_reference(kSecretArn + ":::");
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->secret_id, kSecretArn);
    for (const std::string& wrong : {std::string("db"), kSecretArn + ":key", kSecretArn + ":a:b:c:d"}) {
        EXPECT_FALSE(parse_secret_reference(wrong)) << wrong;
    }
    EXPECT_EQ(asm_values({secret("asm", kSecretArn + ":key")}).error().what,
              "trying to retrieve secret with value " + kSecretArn +
                  ":key resulted in error: an invalid ARN format for the AWS Secrets Manager secret was specified. "
                  "Specify a valid ARN and try again.");
}

TEST_F(Fetch, ASelectedVersionIsAskedForAndItsKeyTakenOut) {
    http.on("POST", "https://secretsmanager.us-west-2.amazonaws.com/")
        .reply(200, R"({"SecretString":"{\"user\":\"u\",\"password\":\"hunter2\"}"})");
    const std::string from = kSecretArn + ":password:AWSCURRENT:";
    const auto values = asm_values({secret("asm", from), secret("asm", kSecretArn)});
    ASSERT_TRUE(values) << values.error().what;
    EXPECT_EQ(values->at(from + "_us-west-2").reveal(), "hunter2");
    EXPECT_EQ(values->at(kSecretArn + "_us-west-2").reveal(), R"({"user":"u","password":"hunter2"})");
    EXPECT_EQ(request(0), (Json{{"SecretId", kSecretArn}, {"VersionStage", "AWSCURRENT"}}));
    EXPECT_EQ(request(1), (Json{{"SecretId", kSecretArn}}));
    EXPECT_EQ(header(http.requests[0], "X-Amz-Target"), "secretsmanager.GetSecretValue");
}

TEST_F(Fetch, JsonValuesOtherThanTextsReadAsTheyAlwaysDid) {
    const Secret text(R"({"n":5432,"x":1.5,"big":1e21,"t":true,"null":null,"list":[1,"b"],"map":{"k":"v"},"s":" s "})");
    const std::map<std::string, std::string> expected{{"n", "5432"},       {"x", "1.5"},      {"big", "1e+21"},
                                                      {"t", "true"},       {"null", "<nil>"}, {"list", "[1 b]"},
                                                      {"map", "map[k:v]"}, {"s", " s "}};
    for (const auto& [key, value] : expected) {
        const auto member = json_member(text, key);
        ASSERT_TRUE(member) << key;
        EXPECT_EQ(member->reveal(), value);
    }
    EXPECT_EQ(json_member(text, "absent").error().what,
              "retrieved secret from Secrets Manager did not contain json key absent");
    EXPECT_THAT(json_member(Secret("hunter2"), "k").error().what, Not(HasSubstr("hunter2")));
}

TEST_F(Fetch, AllFailingSecretsAreInTheReason) {
    http.on("POST", "*")
        .reply(400,
               R"({"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."})")
        .reply(400, R"({"__type":"AccessDeniedException","Message":"no"})");
    const auto values = asm_values({secret("asm", kSecretArn), secret("asm", kSecretArn + "2")});
    ASSERT_FALSE(values);
    const std::string not_found =
        "operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, RequestID: , "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
    const std::string denied =
        "operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, RequestID: , api error "
        "AccessDeniedException: no";
    EXPECT_EQ(values.error().what, "ResourceNotFoundException: The task can't retrieve the secret with ARN '" +
                                       kSecretArn +
                                       "' from AWS Secrets Manager. Check whether the secret exists in the specified "
                                       "Region: " +
                                       not_found + ";secret " + kSecretArn + "2: " + denied + ": " + denied);
}

TEST_F(Fetch, RegistryCredentialsNeedBothNameAndPassword) {
    const auto good = parse_registry_credentials(Secret(R"({"username":"u","password":"p"})"));
    ASSERT_TRUE(good);
    EXPECT_EQ(good->username, "u");
    EXPECT_EQ(good->password.reveal(), "p");
    EXPECT_EQ(good->server_address, "");
    EXPECT_EQ(parse_registry_credentials(Secret()).error().what,
              "asm fetching authorization data: empty secrets value");
    EXPECT_EQ(parse_registry_credentials(Secret("x")).error().what,
              "asm fetching authorization data: unable to unmarshal secret value, invalid schema");
    EXPECT_EQ(parse_registry_credentials(Secret(R"({"password":"p"})")).error().what,
              "asm fetching username: AuthorizationData is malformed, empty field");
    EXPECT_EQ(parse_registry_credentials(Secret(R"({"username":"u"})")).error().what,
              "asm fetching password: AuthorizationData is malformed, empty field");
}

// ---- S3 and environment files

TEST_F(Fetch, BucketsAreReachedAsTheSdkReachesThem) {
    net::EndpointOptions plain;
    EXPECT_EQ(s3_url({"b-1", "a/b c.env"}, "us-west-2", plain), "https://b-1.s3.us-west-2.amazonaws.com/a/b%20c.env");
    EXPECT_EQ(s3_url({"with.dots", "k"}, "eu-west-1", plain), "https://s3.eu-west-1.amazonaws.com/with.dots/k");
    EXPECT_EQ(s3_url({"Upper", "k"}, "us-east-1", plain), "https://s3.us-east-1.amazonaws.com/Upper/k");
    net::EndpointOptions dualstack;
    dualstack.dualstack = true;
    EXPECT_EQ(s3_url({"bkt", "k"}, "us-west-2", dualstack), "https://bkt.s3.dualstack.us-west-2.amazonaws.com/k");
    net::EndpointOptions own;
    own.service_url = "http://127.0.0.1:9000";
    EXPECT_EQ(s3_url({"bkt", "k"}, "us-west-2", own), "http://127.0.0.1:9000/bkt/k");
    own.service_url = "http://s3.local:9000";
    EXPECT_EQ(s3_url({"b.kt", "k"}, "us-west-2", own), "http://b.kt.s3.local:9000/k");
}

TEST_F(Fetch, TheRegionOfABucketIsWhatItsLocationSays) {
    EXPECT_EQ(parse_bucket_location("<LocationConstraint xmlns=\"x\">eu-central-1</LocationConstraint>"),
              "eu-central-1");
    EXPECT_EQ(parse_bucket_location("<LocationConstraint xmlns=\"x\"/>"), "us-east-1");
    EXPECT_EQ(parse_bucket_location("<LocationConstraint>EU</LocationConstraint>"), "eu-west-1");
}

TEST_F(Fetch, FilesAreDownloadedFromTheBucketsRegionIntoTheTasksDirectory) {
    http.on("GET", "https://bkt.s3.us-west-2.amazonaws.com/?location=")
        .reply(200, "<LocationConstraint>eu-west-1</LocationConstraint>");
    http.on("GET", "https://bkt.s3.eu-west-1.amazonaws.com/dir/app.env*").reply(200, "A=1\nB=1\n");
    http.on("GET", "https://bkt.s3.eu-west-1.amazonaws.com/more.env*").reply(503).reply(200, "B=2\nC=2\n");
    const EnvironmentFilesWork work = files({"arn:aws:s3:::bkt/dir/app.env", "arn:aws:s3:::bkt/more.env"});
    asio::io_context io;
    std::optional<Result<void>> done;
    asio::co_spawn(io, fetch_environment_files(access, pool, work, signer),
                   [&done](std::exception_ptr, Result<void> result) { done = std::move(result); });
    while (!done) {
        io.restart();
        io.run_for(std::chrono::milliseconds(1));
        clock.advance(std::chrono::seconds(1));  // the retry's wait
    }
    ASSERT_TRUE(*done) << done->error().what;
    const auto variables = read_environment_files(work);
    ASSERT_TRUE(variables) << variables.error().what;
    EXPECT_EQ(*variables, (std::map<std::string, std::string>{{"A", "1"}, {"B", "1"}, {"C", "2"}}));
    const net::HttpRequest& object = http.requests.back();
    EXPECT_EQ(header(object, "X-Amz-Content-Sha256"),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_THAT(header(object, "Authorization"), HasSubstr("/eu-west-1/s3/aws4_request"));
    struct stat status {};
    ASSERT_EQ(::stat((work.directory + "/bkt/dir/app.env").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    ASSERT_EQ(::stat(work.directory.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);

    ASSERT_TRUE(remove_task_directory(work.directory));
    EXPECT_FALSE(std::filesystem::exists(work.directory));
    EXPECT_TRUE(remove_task_directory(work.directory)) << "gone already is fine";
}

TEST_F(Fetch, AKeyThatLeadsOutOfItsDirectoryIsRejectedBeforeAnythingIsAsked) {
    for (const std::string& key : std::vector<std::string>{"../x.env", "a/../../x.env", "..", "a/../.."}) {
        const auto done = download_files(files({"arn:aws:s3:::bkt/" + key}));
        ASSERT_FALSE(done) << key;
        EXPECT_THAT(done.error().what, StartsWith("unable to initialize envfile resource directory, error: "));
    }
    EXPECT_TRUE(http.requests.empty());
    EXPECT_EQ(environment_file_path("/d", "arn:aws:s3:::bkt//etc/passwd").value(), "/d/bkt/etc/passwd");
}

TEST_F(Fetch, WhatS3RefusesIsNamedWithBucketAndKey) {
    http.on("GET", "*location=").reply(200, "<LocationConstraint/>");
    http.on("GET", "*/k.env*")
        .reply(404, "<Error><Code>NoSuchKey</Code><Message>The key is not there.</Message></Error>",
               {{"x-amz-request-id", "r"}});
    const auto done = download_files(files({"arn:aws:s3:::bkt/k.env", "nonsense"}));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().what,
              "unable to download env file with key k.env from bucket bkt, error: operation error S3: GetObject, https "
              "response error StatusCode: 404, RequestID: r, NoSuchKey: The key is not there.;unable to parse bucket "
              "and key from s3 ARN specified in environmentFile nonsense, error: invalid s3 arn: nonsense");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path())) {
        EXPECT_FALSE(entry.is_regular_file()) << "left behind: " << entry.path();
    }
}

// ---- the vault

TEST(VaultTest, HidesWhatItHoldsInTextsOfOthersAndForgetsItWithTheTask) {
    Vault vault;
    vault.of("arn").secrets.ssm.emplace("k", Secret("hunter2"));
    vault.of("arn").registries.emplace("p", runtime::RegistryAuth{"u", Secret("open sesame"), {}, {}});
    EXPECT_EQ(vault.redacted("arn", "bad option hunter2, bad login open sesame"),
              "bad option <redacted>, bad login <redacted>");
    EXPECT_EQ(vault.redacted("other", "hunter2"), "hunter2");
    EXPECT_EQ(vault.redacted("other", "Get \"http://169.254.170.2/v2/credentials/2b88-376d\": refused, /v2/credentials/x"),
              "Get \"http://169.254.170.2/v2/credentials/<redacted>\": refused, /v2/credentials/<redacted>");
    vault.of("arn").secrets.ssm.emplace("part", Secret("hunter"));
    vault.of("arn").secrets.ssm.emplace("whole", Secret("big hunter2 game"));
    EXPECT_EQ(vault.redacted("arn", "no big hunter2 game"), "no <redacted>") << "one value is part of another";
    vault.wipe("arn");
    EXPECT_FALSE(vault.registry("arn", "p"));
    EXPECT_TRUE(vault.secrets("arn").ssm.empty());
}

}  // namespace
}  // namespace nodeagent::engine
