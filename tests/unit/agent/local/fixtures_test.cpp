#include "agent/local/fixtures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agent/base/strings.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::local {
namespace {

using ::testing::HasSubstr;

const std::string kArn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:";

class FixturesTest : public ::testing::Test {
  protected:
    void put(const std::string& name, const std::string& content = {}) const {
        const std::filesystem::path path = directory + "/" + name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << content;
    }
    [[nodiscard]] ApiResult call(const std::string& target, const Json& request) const {
        return Fixtures(directory, {}).answer(target, request.dump(), WallTime(std::chrono::seconds(1'700'000'000)));
    }
    [[nodiscard]] Fixtures::Object get(const std::string& target) const { return Fixtures(directory, {}).s3(target); }
    [[nodiscard]] ApiResult secret(Json request) const { return call("secretsmanager.GetSecretValue", request); }
    fakes::TempDirectory directory;
};

TEST_F(FixturesTest, ParametersAreFilesAndWhatIsMissingIsInvalid) {
    put("ssm/a/b", "value\n");
    const std::string arn = "arn:aws:ssm:us-west-2:123456789012:parameter/a/b";
    const auto answer = call("AmazonSSM.GetParameters", {{"Names", {"/a/b", arn, "absent", "../ssm/a/b"}}});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body["Parameters"].size(), 2U);
    EXPECT_EQ(answer->body["Parameters"][0]["Name"], "/a/b");
    EXPECT_EQ(answer->body["Parameters"][0]["Value"], "value");
    EXPECT_EQ(answer->body["Parameters"][1]["ARN"], arn);
    EXPECT_EQ(answer->body["InvalidParameters"], (OrderedJson{"absent", "../ssm/a/b"}));
    EXPECT_EQ(call("AmazonSSM.GetParameters", {{"Names", std::vector<std::string>(11, "a")}}).error().code,
              "ValidationException");
}

TEST_F(FixturesTest, SecretsAreFoundByNameAndArnInTheVersionAskedFor) {
    put("secretsmanager/one.json", R"({"SecretString":{"k":"v"}})");
    put("secretsmanager/two.json", R"({"Versions":[
        {"VersionId":"v1","VersionStages":["AWSPREVIOUS"],"SecretString":"old"},
        {"VersionId":"v2","VersionStages":["AWSCURRENT"],"SecretString":"new"}]})");
    EXPECT_EQ(secret({{"SecretId", "one"}})->body["SecretString"], R"({"k":"v"})");
    EXPECT_EQ(secret({{"SecretId", kArn + "two-AbCdEf"}})->body["SecretString"], "new");
    EXPECT_EQ(secret({{"SecretId", "two"}, {"VersionStage", "AWSPREVIOUS"}})->body["SecretString"], "old");
    EXPECT_EQ(secret({{"SecretId", "two"}, {"VersionId", "v1"}})->body["SecretString"], "old");
    EXPECT_EQ(secret({{"SecretId", "two"}, {"VersionId", "v3"}}).error().code, "ResourceNotFoundException");
    EXPECT_EQ(secret({{"SecretId", "none"}}).error().code, "ResourceNotFoundException");
}

TEST_F(FixturesTest, AMarkerBesideAFixtureDeniesIt) {
    put("ssm/a.denied");
    put("secretsmanager/one.json.denied");
    put("s3/b/k.denied");
    EXPECT_EQ(call("AmazonSSM.GetParameters", {{"Names", {"a"}}}).error().code, "AccessDeniedException");
    EXPECT_EQ(secret({{"SecretId", "one"}}).error().code, "AccessDeniedException");
    EXPECT_EQ(get("/b/k").status, 403U);
    EXPECT_THAT(get("/b/k").body, HasSubstr("<Code>AccessDenied</Code>"));
}

TEST_F(FixturesTest, ObjectsAreFilesBelowTheirBucket) {
    put("s3/b/dir/a b.env", "A=1\n");
    EXPECT_EQ(get("/b/dir/a%20b.env?x-id=GetObject").body, "A=1\n");
    EXPECT_THAT(get("/b/?location=").body, HasSubstr(">us-west-2</LocationConstraint>"));
    EXPECT_THAT(get("/b/absent").body, HasSubstr("<Code>NoSuchKey</Code>"));
    EXPECT_THAT(get("/none/k").body, HasSubstr("<Code>NoSuchBucket</Code>"));
    EXPECT_THAT(get("/b/..%2F..%2Fecr.json").body, HasSubstr("<Code>NoSuchKey</Code>"));
}

TEST_F(FixturesTest, TheRegistrysTokenIsUserAndPasswordForTwelveHours) {
    put("ecr.json", R"({"username":"AWS","password":"p","proxyEndpoint":"https://r"})");
    const auto answer = call("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", Json::object());
    ASSERT_TRUE(answer);
    const auto& data = answer->body["authorizationData"][0];
    EXPECT_EQ(base64_decode(data["authorizationToken"].get<std::string>()), "AWS:p");
    EXPECT_EQ(data["expiresAt"].get<double>(), 1'700'000'000 + 12 * 3600);
    EXPECT_EQ(data["proxyEndpoint"], "https://r");
}

TEST_F(FixturesTest, WithoutADirectoryTheServicesAreUnknown) {
    const auto answer = Fixtures("", {}).answer("AmazonSSM.GetParameters", R"({"Names":["a"]})", {});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, "UnknownOperationException");
}

}  // namespace
}  // namespace nodeagent::local
