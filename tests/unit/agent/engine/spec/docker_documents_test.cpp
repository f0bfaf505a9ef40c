#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/engine/spec/docker_documents.hpp"

namespace nodeagent::engine {
namespace {

using ::testing::HasSubstr;

Json config(std::string_view text, Json over = Json::object()) {
    const auto merged = merge_config(over, text);
    EXPECT_TRUE(merged) << (merged ? "" : merged.error().what);
    return over;
}
Json host_config(std::string_view text, Json over = Json::object()) {
    const auto merged = merge_host_config(over, text);
    EXPECT_TRUE(merged) << (merged ? "" : merged.error().what);
    return over;
}
std::string refusal(std::string_view text) {
    Json over = Json::object();
    const auto merged = merge_host_config(over, text);
    EXPECT_FALSE(merged);
    return merged ? std::string() : merged.error().what;
}

TEST(DockerDocuments, GiveMembersDockersSpellingWhateverTheirCase) {
    EXPECT_EQ(config(R"({"HealthCheck":{"test":["CMD","true"],"RETRIES":3}})"),
              Json::parse(R"({"Healthcheck":{"Test":["CMD","true"],"Retries":3}})"));
    EXPECT_EQ(host_config(R"({"devices":[{"pathonhost":"/dev/zero","pathInContainer":"/dev/x","bogus":1}]})"),
              Json::parse(R"({"Devices":[{"PathOnHost":"/dev/zero","PathInContainer":"/dev/x"}]})"));
}

TEST(DockerDocuments, DropMembersDockerDoesNotKnow) {
    EXPECT_EQ(config(R"({"Imagination":1,"User":"u"})"), Json::parse(R"({"User":"u"})"));
}

TEST(DockerDocuments, ReplaceScalarsAndLists) {
    EXPECT_EQ(config(R"({"Cmd":["b"],"User":"x"})", Json::parse(R"({"Cmd":["a","b"],"User":"y","Image":"i"})")),
              Json::parse(R"({"Cmd":["b"],"User":"x","Image":"i"})"));
}

TEST(DockerDocuments, MergeObjectsKeyByKey) {
    EXPECT_EQ(config(R"({"ExposedPorts":{"81/tcp":{}},"Labels":{"a":"2"}})",
                     Json::parse(R"({"ExposedPorts":{"80/tcp":{}},"Labels":{"a":"1","b":"1"}})")),
              Json::parse(R"({"ExposedPorts":{"80/tcp":{},"81/tcp":{}},"Labels":{"a":"2","b":"1"}})"));
    EXPECT_EQ(host_config(R"({"PortBindings":{"80/tcp":[{"HostPort":"9"}]}})",
                          Json::parse(R"({"PortBindings":{"80/tcp":[{"HostPort":"1"}],"81/tcp":[{"HostPort":"2"}]}})")),
              Json::parse(R"({"PortBindings":{"80/tcp":[{"HostPort":"9"}],"81/tcp":[{"HostPort":"2"}]}})"));
    EXPECT_EQ(host_config(R"({"LogConfig":{"Config":{"a":"1"}}})", Json::parse(R"({"LogConfig":{"Type":"syslog"}})")),
              Json::parse(R"({"LogConfig":{"Type":"syslog","Config":{"a":"1"}}})"));
}

TEST(DockerDocuments, EmptyWhatIsNullAndLeaveScalarsAlone) {
    EXPECT_EQ(host_config(R"({"Binds":null,"PortBindings":null,"Memory":null,"Init":null})",
                          Json::parse(R"({"Binds":["a:b"],"PortBindings":{"80/tcp":[]},"Memory":5})")),
              Json::parse(R"({"Binds":null,"PortBindings":null,"Memory":5,"Init":null})"));
    EXPECT_EQ(config(R"({"HealthCheck":null,"User":null})"), Json::parse(R"({"Healthcheck":null})"));
}

TEST(DockerDocuments, TakeOneWordForAListOfOne) {
    EXPECT_EQ(config(R"({"Cmd":"run"})"), Json::parse(R"({"Cmd":["run"]})"));
    EXPECT_EQ(host_config(R"({"CapAdd":"ALL"})"), Json::parse(R"({"CapAdd":["ALL"]})"));
}

TEST(DockerDocuments, NameTheMemberOfAWrongType) {
    EXPECT_EQ(refusal(R"({"memory":"64m"})"), "Memory: expected an integer, got string");
    EXPECT_EQ(refusal(R"({"Memory":1.5})"), "Memory: expected an integer, got number");
    EXPECT_EQ(refusal(R"({"Ulimits":[{"Name":"nofile","Soft":"x"}]})"),
              "Ulimits.Soft: expected an integer, got string");
    EXPECT_EQ(refusal(R"({"PortBindings":{"80/tcp":{}}})"),
              "PortBindings.80/tcp: expected a list of objects, got object");
    EXPECT_EQ(refusal(R"({"Sysctls":{"a":1}})"), "Sysctls.a: expected a string, got number");
    EXPECT_EQ(refusal("[]"), "document: expected an object, got array");
}

TEST(DockerDocuments, RefuseWhatIsNotJson) { EXPECT_THAT(refusal("{NetworkMode"), Not(HasSubstr("expected a"))); }

TEST(DockerDocuments, AcceptNothingAtAll) { EXPECT_EQ(host_config(""), Json::object()); }

}  // namespace
}  // namespace nodeagent::engine
