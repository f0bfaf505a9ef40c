#include <gmock/gmock.h>

#include "metadata/audit_log.hpp"
#include "metadata/credentials_endpoint.hpp"
#include "metadata/go_json.hpp"
#include "metadata/rate_limit.hpp"
#include "metadata/response_writer.hpp"
#include "metadata/router.hpp"
#include "metadata/task_protection.hpp"
#include "metadata/url_path.hpp"
#include "tests/unit/metadata/trace_snapshot.hpp"

namespace nodeagent::metadata {
namespace {

using namespace test;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(GoNumbers, AreTheShortestThatReadBack) {
    EXPECT_EQ(go_number(1024), "1024");
    EXPECT_EQ(go_number(0.25), "0.25");
    EXPECT_EQ(go_number(0), "0");
    EXPECT_EQ(go_number(-1.5), "-1.5");
    EXPECT_EQ(go_number(1e-7), "1e-7");
    EXPECT_EQ(go_number(1.5e-10), "1.5e-10");
    EXPECT_EQ(go_number(0.000001), "0.000001");
    EXPECT_EQ(go_number(1e20), "100000000000000000000");
    EXPECT_EQ(go_number(1e21), "1e+21");
    EXPECT_EQ(go_number(23919.08203125), "23919.08203125");
}

TEST(GoJson, EscapesWhatABrowserCouldMistake) {
    JsonWriter out;
    out.begin_object();
    out.member("<k>", "a&b\"\\\n\x01\xE2\x80\xA8\xFFz");
    out.member_unless_empty("empty", "");
    out.member_unless_empty("zero", 0);
    out.key("list");
    out.begin_array();
    out.begin_object();
    out.end_object();
    out.null();
    out.end_array();
    out.end_object();
    EXPECT_EQ(std::move(out).text(), R"({"\u003ck\u003e":"a\u0026b\"\\\n\u0001\u2028\ufffdz","list":[{},null]})");
}

TEST(Paths, AreCleanedLexicallyAndKeepOneTrailingSlash) {
    const std::vector<std::pair<std::string, std::string>> rows{{"", "/"},
                                                                {"/", "/"},
                                                                {"//v2/credentials/test", "/v2/credentials/test"},
                                                                {"/v3///task/", "/v3/task/"},
                                                                {"/a/./b", "/a/b"},
                                                                {"/a/../../b/", "/b/"},
                                                                {"/a/..", "/"},
                                                                {"a", "/a"},
                                                                {"/a/.", "/a"},
                                                                {"/...", "/..."}};
    for (const auto& [path, clean] : rows) {
        EXPECT_EQ(clean_path(path), clean) << path;
        EXPECT_EQ(is_clean_path(path), path == clean) << path;
    }
}

TEST(Targets, AreDecodedOnceAndRefusedWhenBroken) {
    const auto parsed = parse_target("/v4/%41%2fb+c?id=%41&x");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->path, "/v4/A/b+c");
    EXPECT_EQ(parsed->query, "id=%41&x");
    EXPECT_EQ(parse_target("http://169.254.170.2/v3/x?")->path, "/v3/x");
    EXPECT_TRUE(parse_target("http://169.254.170.2/v3/x?")->has_query);
    for (const std::string bad : {"/a%4", "/a%zz", "/%", "*", "host:80", "", "/a\x7f"})
        EXPECT_FALSE(parse_target(bad)) << bad;
    EXPECT_EQ(parse_target("/%00")->path, std::string("/\0", 2));
}

TEST(Queries, GiveTheFirstDecodedValue) {
    const auto request = [](std::string_view text) {
        return Request{.method = "GET",
                       .path = "/",
                       .query = text,
                       .has_query = true,
                       .body = {},
                       .user_agent = {},
                       .forwarded_for = {}};
    };
    EXPECT_EQ(request("id=a+b%2F&id=c").parameter("id"), "a b/");
    EXPECT_TRUE(request("x&id").has_parameter("id"));
    EXPECT_EQ(request("id").parameter("id"), "");
    EXPECT_FALSE(request("id=%4").has_parameter("id"));
    EXPECT_FALSE(request("idd=1").has_parameter("id"));
}

TEST(Patterns, MatchAsTheReferencesTable) {
    struct Row {
        std::string pattern, path;
        bool fits;
        std::vector<std::string> captures;
    };
    const std::vector<Row> rows{{"/v2/credentials/**", "/v2/credentials/", true, {""}},
                                {"/v2/credentials/**", "/v2/credentials/a/b", true, {"a/b"}},
                                {"/v2/credentials/**", "/v2/credentials", false, {}},
                                {"/v2/metadata/++", "/v2/metadata/", false, {}},
                                {"/v2/metadata/++", "/v2/metadata/x\ny", false, {}},
                                {"/v3/*", "/v3/", true, {""}},
                                {"/v3/*", "/v3", false, {}},
                                {"/v3/*", "/v3/task", true, {"task"}},
                                {"/v3/*", "/v3/a/b", false, {}},
                                {"/v3/*/task", "/v3/a/task", true, {"a"}},
                                {"/v3/*/task", "/v3/a/task/", false, {}},
                                {"/v3/*/task", "/v3/a/tasks", false, {}},
                                {"/v3/*/associations/*/", "/v3/a/associations/gpu/", true, {"a", "gpu"}},
                                {"/v3/*/associations/*/++", "/v3/a/associations/gpu/d/e", true, {"a", "gpu", "d/e"}}};
    for (const Row& row : rows) {
        Captures captures;
        ASSERT_EQ(matches(row.pattern, row.path, captures), row.fits) << row.pattern << " " << row.path;
        for (std::size_t i = 0; i < row.captures.size(); ++i) EXPECT_EQ(captures[i], row.captures[i]) << row.path;
    }
}

TEST(RateLimit, GrantsABurstAndThenTheSteadyRate) {
    RateLimit limit(40, 60);
    const RateLimit::Address source{1};
    SteadyTime now{std::chrono::hours(1)};
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(limit.allow(source, "/v4/x", now)) << i;
    EXPECT_FALSE(limit.allow(source, "/v4/x", now));
    EXPECT_TRUE(limit.allow(source, "/v4/y", now)) << "another path has its own bucket";
    EXPECT_TRUE(limit.allow(RateLimit::Address{2}, "/v4/x", now)) << "another source too";
    now += std::chrono::milliseconds(25);
    EXPECT_TRUE(limit.allow(source, "/v4/x", now));
    EXPECT_FALSE(limit.allow(source, "/v4/x", now));
    now += std::chrono::hours(1);
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(limit.allow(source, "/v4/x", now)) << i;
    EXPECT_FALSE(limit.allow(source, "/v4/x", now)) << "no more than the burst is saved up";
}

TEST(RateLimit, ForgetsBucketsThatAreFullAgain) {
    RateLimit limit(40, 60);
    SteadyTime now{std::chrono::hours(1)};
    for (int i = 0; i < 255; ++i) ASSERT_TRUE(limit.allow({1}, std::to_string(i), now));
    now += std::chrono::seconds(2);
    ASSERT_TRUE(limit.allow({1}, "next", now));
    ASSERT_TRUE(limit.allow({1}, "and next", now));
    EXPECT_LE(limit.buckets(), 3U);
}

TEST(RateLimit, KeepsItsMemoryBoundedUnderAFloodOfPathsAndStillServesOthers) {
    RateLimit limit(40, 60);
    const SteadyTime now{std::chrono::hours(1)};
    int granted = 0;
    for (std::size_t i = 0; i < RateLimit::kMaxBuckets + 1000; ++i)
        granted += limit.allow({1}, std::to_string(i), now) ? 1 : 0;
    EXPECT_LE(limit.buckets(), RateLimit::kMaxBuckets + 1);
    EXPECT_EQ(granted, static_cast<int>(RateLimit::kMaxBuckets) + 60) << "the rest shares one bucket";
    EXPECT_TRUE(limit.allow({2}, "/v4/x", now));
}

TEST(Answers, SayTheirLengthUpToTwoKilobytesAndComeInOneChunkBeyond) {
    std::string out;
    EXPECT_TRUE(write_response(json_response(std::string(2048, 'x')), {}, "X-A: 1\r\n", "D", out));
    EXPECT_THAT(out, HasSubstr("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-A: 1\r\nDate: "
                               "D\r\nContent-Length: 2048\r\n\r\nxxx"));
    out.clear();
    EXPECT_TRUE(write_response(json_response(std::string(2049, 'x')), {}, "", "D", out));
    EXPECT_THAT(out, HasSubstr("Date: D\r\nTransfer-Encoding: chunked\r\n\r\n801\r\nxxx"));
    EXPECT_TRUE(out.ends_with("x\r\n0\r\n\r\n"));
}

TEST(Answers, ToOldClientsEndTheConnectionUnlessTheyAskOtherwise) {
    std::string out;
    EXPECT_FALSE(write_response(json_response("{}"), {.http_1_1 = false, .keep_alive = false}, "", "D", out));
    EXPECT_EQ(out, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nDate: D\r\nContent-Length: 2\r\n\r\n{}");
    out.clear();
    EXPECT_TRUE(write_response(json_response("{}"), {.http_1_1 = false, .keep_alive = true}, "", "D", out));
    EXPECT_THAT(out, HasSubstr("Connection: keep-alive\r\n"));
    out.clear();
    EXPECT_FALSE(
        write_response(json_response(std::string(3000, 'x')), {.http_1_1 = false, .keep_alive = true}, "", "D", out));
    EXPECT_THAT(out, Not(HasSubstr("Content-Length")));
}

TEST(Answers, ToHeadHaveNoBody) {
    std::string out;
    EXPECT_TRUE(write_response(json_response("{}"), {.head = true}, "", "D", out));
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: D\r\nContent-Length: 2\r\n\r\n");
    out.clear();
    EXPECT_TRUE(write_response(json_response(std::string(3000, 'x')), {.head = true}, "", "D", out));
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: D\r\n\r\n");
}

TEST(Answers, AreDatedAsHttpWantsIt) {
    EXPECT_EQ(http_date(std::chrono::system_clock::time_point(std::chrono::seconds(1'767'225'600))),
              "Thu, 01 Jan 2026 00:00:00 GMT");
}

credentials::TaskRoleCredentials role(credentials::RoleType type) {
    credentials::TaskRoleCredentials one{.task_arn = kTaskArn, .role_type = type, .role = {}};
    one.role.credentials_id = "id-1";
    one.role.role_arn = "arn:aws:iam::123456789012:role/app";
    one.role.access_key_id = "ASIATASKCREDS";
    one.role.secret_access_key = Secret("taskSecretExample");
    one.role.session_token = Secret("tok-app-1");
    one.role.expiration = "2099-01-01T00:00:00Z";
    return one;
}

TEST(Credentials, AreGivenToWhoeverKnowsTheId) {
    credentials::Registry registry;
    ASSERT_TRUE(registry.put(role(credentials::RoleType::TaskApplication)));
    const CredentialsReply reply = credentials_reply(registry, 2, "id-1");
    EXPECT_EQ(
        reply.response.body,
        R"({"RoleArn":"arn:aws:iam::123456789012:role/app","AccessKeyId":"ASIATASKCREDS","SecretAccessKey":"taskSecretExample","Token":"tok-app-1","Expiration":"2099-01-01T00:00:00Z"})");
    ASSERT_NE(reply.granted, nullptr);
}

TEST(Credentials, AreRefusedWithTheReferencesErrors) {
    credentials::Registry registry;
    registry.announce("later");
    EXPECT_EQ(
        credentials_reply(registry, 1, "").response.body,
        R"({"code":"NoIdInRequest","message":"CredentialsV1Request: No Credential ID in the request","HTTPErrorCode":400})");
    EXPECT_EQ(
        credentials_reply(registry, 2, "x").response.body,
        R"({"code":"InvalidIdInRequest","message":"CredentialsV2Request: Credentials not found","HTTPErrorCode":400})");
    const Response awaited = credentials_reply(registry, 2, "later").response;
    EXPECT_EQ(awaited.status, 503U);
    EXPECT_EQ(
        awaited.body,
        R"({"code":"CredentialsUninitialized","message":"CredentialsV2Request: Credentials uninitialized for ID","HTTPErrorCode":503})");
}

TEST(Credentials, ThatStandInForUnknownOnesAreNeverShown) {
    credentials::Registry registry;
    registry.announce("later");
    for (const std::string id : {"x", "later"}) {
        const auto stand_in = registry.find(id).role;
        const CredentialsReply reply = credentials_reply(registry, 2, id);
        EXPECT_EQ(reply.granted, nullptr);
        EXPECT_THAT(reply.response.body, ::testing::Not(HasSubstr(stand_in->role.access_key_id)));
        EXPECT_THAT(reply.response.body, ::testing::Not(HasSubstr("AccessKeyId")));
    }
}

TEST(AuditLines, HoldNoIdInAnyPathAndNoEndlessText) {
    Peer peer;
    peer.ip_and_port = "169.254.172.2:40112";
    Request request;
    request.peer = &peer;
    for (const std::string path : {"/v2/credentials/secret-id", "/V2/Credentials/secret-id/x",
                                   "/v1/credentials/secret-id", "/x/v2/credentials/secret-id"}) {
        request.path = path;
        EXPECT_THAT(audit_line({}, request, 429, nullptr, {}), ::testing::Not(HasSubstr("secret-id"))) << path;
    }
    const std::string endless(100'000, 'x');
    request.path = request.user_agent = endless;
    EXPECT_LT(audit_line({}, request, 429, nullptr, {}).size(), 5000U);
}

TEST(AuditLines, NameTheTaskAndHideTheId) {
    Peer peer;
    peer.ip_and_port = "169.254.172.2:40112";
    Request request{.method = "GET",
                    .path = "/v2/credentials/secret-id",
                    .query = {},
                    .has_query = false,
                    .body = {},
                    .user_agent = "aws-cli/2.1",
                    .forwarded_for = {}};
    request.peer = &peer;
    const auto when = std::chrono::system_clock::time_point(std::chrono::seconds(1'767'225'600));
    const InstanceIdentity who{.cluster = "default",
                               .container_instance_arn = "arn:ci",
                               .availability_zone = "",
                               .availability_zone_id = "",
                               .vpc_id = ""};
    const auto granted = role(credentials::RoleType::TaskApplication);
    EXPECT_EQ(audit_line(when, request, 200, &granted, who),
              "2026-01-01T00:00:00Z 200 169.254.172.2:40112 \"/v2/credentials\" \"aws-cli/2.1\" " + kTaskArn +
                  " GetCredentials 2 default arn:ci");
    const auto execution = role(credentials::RoleType::TaskExecution);
    EXPECT_THAT(audit_line(when, request, 200, &execution, {}), HasSubstr(" GetCredentialsExecutionRole 2 - -"));
    request.path = "/v1/credentials";
    request.user_agent = "evil\"\n agent";
    EXPECT_EQ(audit_line(when, request, 400, nullptr, who),
              "2026-01-01T00:00:00Z 400 169.254.172.2:40112 \"/v1/credentials\" \"evil__ agent\" - ");
}

TEST(TaskProtection, ReadsTheBodyAsTheReferenceDoes) {
    const auto parsed = parse_protection_request(R"({"protectionenabled":true,"ExpiresInMinutes":60} trailing)");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->enabled, true);
    EXPECT_EQ(parsed->expires_in_minutes, 60);
    EXPECT_FALSE(parse_protection_request("null")->enabled);
    EXPECT_EQ(parse_protection_request(R"({"ExpiresInMinutes":-5})")->expires_in_minutes, -5);
    const auto repeated = parse_protection_request(
        R"({"ProtectionEnabled":true,"ExpiresInMinutes":1,"expiresinminutes":2,"PROTECTIONENABLED":null})");
    ASSERT_TRUE(repeated);
    EXPECT_FALSE(repeated->enabled);
    EXPECT_EQ(repeated->expires_in_minutes, 2);
    for (const std::string bad :
         {"", "{", "[]", "1", "true", "\"x\"", R"({"Other":1})", R"({"ProtectionEnabled":"yes"})",
          R"({"ProtectionEnabled":1})", R"({"ProtectionEnabled":{}})", R"({"ProtectionEnabled":[true]})",
          R"({"ExpiresInMinutes":1.5})", R"({"ExpiresInMinutes":1e3})", R"({"ExpiresInMinutes":true})",
          R"({"ExpiresInMinutes":18446744073709551615})", R"({"ProtectionEnabled":true)",
          R"({"ProtectionEnabled":tru)"}) {
        EXPECT_FALSE(parse_protection_request(bad)) << bad;
    }
    EXPECT_FALSE(parse_protection_request(std::string(1'000'000, '[')));
}

TEST(TaskProtection, ChecksInTheReferencesOrder) {
    credentials::Registry registry;
    TaskView task = i_task();
    const auto snapshot = snapshot_of({task});
    const auto plan = [&](const model::Snapshot& on, std::string_view id, std::optional<std::string_view> body) {
        const ProtectionStep step = plan_protection(on, registry, id, body);
        return step.answer ? std::to_string(step.answer->status) + " " + step.answer->body : "call";
    };
    EXPECT_EQ(
        plan(*snapshot, "nope", "{"),
        R"(400 {"error":{"Code":"InvalidParameterException","Message":"UpdateTaskProtection: failed to decode request"}})");
    EXPECT_EQ(
        plan(*snapshot, "nope", std::nullopt),
        R"(404 {"error":{"Code":"ResourceNotFoundException","Message":"Failed to find a task for the request"}})");
    EXPECT_EQ(
        plan(*snapshot, kWebEndpoint, "{}"),
        R"(400 {"error":{"Arn":")" + kTaskArn +
            R"(","Code":"InvalidParameterException","Message":"Invalid request: does not contain 'ProtectionEnabled' field"}})");
    EXPECT_EQ(
        plan(*snapshot, kWebEndpoint, std::nullopt),
        R"(403 {"error":{"Arn":")" + kTaskArn +
            R"(","Code":"AccessDeniedException","Message":"Invalid Request: no task IAM role credentials available for task"}})");
    task.credentials_id = "id-1";
    registry.put(role(credentials::RoleType::TaskApplication));
    const ProtectionStep step = plan_protection(*snapshot_of({task}), registry, kWebEndpoint,
                                                R"({"ProtectionEnabled":false,"ExpiresInMinutes":5})");
    ASSERT_FALSE(step.answer);
    EXPECT_EQ(step.call.task_arn, kTaskArn);
    EXPECT_FALSE(step.call.update->enabled);
    EXPECT_EQ(step.call.update->expires_in_minutes, 5);
}

TEST(TaskProtection, TellsHowTheCallEnded) {
    const auto told = [](const net::ServiceResult<ProtectionAnswer>& outcome) {
        const Response answer = protection_response("T", outcome);
        return std::to_string(answer.status) + " " + answer.body;
    };
    ProtectionAnswer answer;
    EXPECT_EQ(told(answer),
              R"(500 {"error":{"Arn":"T","Code":"ServerException","Message":"Unexpected error occurred"}})")
        << "neither task nor failure";
    answer.tasks = {{.task_arn = "T",
                     .enabled = true,
                     .expires_at = std::chrono::system_clock::time_point(std::chrono::seconds(1'767'225'600))}};
    EXPECT_EQ(told(answer),
              R"(200 {"protection":{"ExpirationDate":"2026-01-01T00:00:00Z","ProtectionEnabled":true,"TaskArn":"T"}})");
    answer.tasks.front().expires_at.reset();
    EXPECT_EQ(told(answer), R"(200 {"protection":{"ExpirationDate":null,"ProtectionEnabled":true,"TaskArn":"T"}})");
    answer.failures = {{.arn = "T", .detail = std::nullopt, .reason = "TASK_NOT_VALID"}};
    EXPECT_EQ(told(answer), R"(200 {"failure":{"Arn":"T","Detail":null,"Reason":"TASK_NOT_VALID"}})");
    net::ServiceError error;
    error.code = "AccessDeniedException";
    error.message = "no";
    error.status = 400;
    EXPECT_EQ(told(error), R"(400 {"requestID":"","error":{"Arn":"T","Code":"AccessDeniedException","Message":"no"}})");
    error.status = 0;
    EXPECT_EQ(told(error), R"(500 {"error":{"Arn":"T","Code":"AccessDeniedException","Message":"no"}})");
    error.code.clear();
    EXPECT_EQ(told(error), R"(500 {"error":{"Arn":"T","Code":"ServerException","Message":"no"}})");
    error.kind = ErrorKind::Timeout;
    EXPECT_EQ(
        told(error),
        R"(504 {"error":{"Arn":"T","Code":"RequestCanceled","Message":"Timed out calling ECS Task Protection API"}})");
}

}  // namespace
}  // namespace nodeagent::metadata
