#include "agent/net/sigv4.hpp"

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/credentials/provider.hpp"

namespace nodeagent::net {
namespace {

struct Case {
    std::string name;
    SigningRequest request;
    credentials::AwsCredentials keys;
    SigningContext context;
    std::chrono::seconds expires{0};
    Json expected;
    bool sign_body = false;
};

// "POST /path HTTP/1.1\nHost:x\nName:value\n continued\n\nbody"
SigningRequest parsed(const std::string& text) {
    SigningRequest request;
    const std::size_t head_end = text.find("\n\n");
    const std::string body = head_end == std::string::npos ? "" : text.substr(head_end + 2);
    const auto head = text.substr(0, head_end);
    const auto lines = split(head, '\n');
    const std::string line(lines.front());
    const std::size_t space = line.find(' ');
    request.method = line.substr(0, space);
    const std::string target = line.substr(space + 1, line.rfind(" HTTP/") - space - 1);
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].empty()) continue;
        if (lines[i].front() == ' ') {
            request.headers.back().second += std::string(lines[i]);
            continue;
        }
        const std::size_t colon = lines[i].find(':');
        request.headers.emplace_back(lines[i].substr(0, colon), lines[i].substr(colon + 1));
    }
    request.url = "https://example.amazonaws.com" + target;
    request.payload_hash = sha256_hex(body);
    return request;
}

std::vector<Case> published_cases() {
    const auto text = read_file(std::string(NODEAGENT_TEST_DATA) + "/sigv4-vectors.json");
    const Json document = Json::parse(*text);
    std::vector<Case> cases;
    for (const Json& entry : document.at("cases")) {
        const Json& context = entry.at("context");
        Case one;
        one.name = entry.at("name");
        one.request = parsed(entry.at("request"));
        one.keys.access_key_id = context.at("credentials").at("access_key_id");
        one.keys.secret_access_key = Secret(context.at("credentials").at("secret_access_key"));
        one.keys.session_token = Secret(context.at("credentials").value("token", ""));
        one.context.region = context.at("region");
        one.context.service = context.at("service");
        one.context.time = *parse_rfc3339(context.at("timestamp").get<std::string>());
        one.context.normalize_path = context.at("normalize");
        one.context.sign_token = !context.value("omit_session_token", false);
        one.expires = std::chrono::seconds(context.at("expiration_in_seconds").get<int>());
        one.sign_body = context.at("sign_body");
        one.expected = entry;
        cases.push_back(std::move(one));
    }
    return cases;
}

TEST(SigV4, SignsHeadersAsThePublishedVectorsSay) {
    const std::vector<Case> cases = published_cases();
    ASSERT_EQ(cases.size(), 38U);
    for (Case one : cases) {
        SCOPED_TRACE(one.name);
        if (one.sign_body) one.request.headers.emplace_back("X-Amz-Content-Sha256", one.request.payload_hash);
        Signature signature;
        const Headers added = sign_headers(one.request, one.keys, one.context, &signature);
        EXPECT_EQ(signature.canonical_request, one.expected.at("header-canonical-request"));
        EXPECT_EQ(signature.string_to_sign, one.expected.at("header-string-to-sign"));
        EXPECT_EQ(signature.value, one.expected.at("header-signature"));
        EXPECT_THAT(added.front().second, testing::EndsWith("Signature=" + signature.value));
    }
}

TEST(SigV4, PresignsUrlsAsThePublishedVectorsSay) {
    for (const Case& one : published_cases()) {
        SCOPED_TRACE(one.name);
        Signature signature;
        const std::string url = presign_url(one.request, one.keys, one.context, one.expires, &signature);
        EXPECT_EQ(signature.canonical_request, one.expected.at("query-canonical-request"));
        EXPECT_EQ(signature.string_to_sign, one.expected.at("query-string-to-sign"));
        EXPECT_EQ(signature.value, one.expected.at("query-signature"));
        EXPECT_THAT(url, testing::EndsWith("&X-Amz-Signature=" + signature.value));
    }
}

credentials::AwsCredentials temporary_keys() {
    credentials::AwsCredentials keys;
    keys.access_key_id = "AKID";
    keys.secret_access_key = Secret("SECRET");
    keys.session_token = Secret("TOKEN");
    return keys;
}

SigningContext ecs_context() {
    SigningContext context;
    context.region = "us-west-2";
    context.service = "ecs";
    context.time = *parse_rfc3339("2026-01-01T00:00:00Z");
    return context;
}

TEST(SigV4, SignsAWebsocketHandshakeWithHostDateAndTokenOnly) {
    SigningRequest handshake;
    handshake.url =
        "wss://ecs-a-1.us-west-2.amazonaws.com/ws?dockerVersion=DockerVersion%3A+25.0.8&agentVersion=1.105.1";
    Signature signature;
    const Headers added = sign_headers(handshake, temporary_keys(), ecs_context(), &signature);
    EXPECT_EQ(signature.signed_headers, "host;x-amz-date;x-amz-security-token");
    EXPECT_EQ(signature.canonical_request,
              "GET\n/ws\nagentVersion=1.105.1&dockerVersion=DockerVersion%3A%2025.0.8\n"
              "host:ecs-a-1.us-west-2.amazonaws.com\nx-amz-date:20260101T000000Z\nx-amz-security-token:TOKEN\n\n"
              "host;x-amz-date;x-amz-security-token\n" +
                  std::string(kEmptyPayloadHash));
    ASSERT_EQ(added.size(), 3U);
    EXPECT_EQ(added[0].first, "Authorization");
    EXPECT_EQ(added[1], (std::pair<std::string, std::string>("X-Amz-Date", "20260101T000000Z")));
    EXPECT_EQ(added[2], (std::pair<std::string, std::string>("X-Amz-Security-Token", "TOKEN")));
}

TEST(SigV4, KeepsAnObjectKeyAsItIsWrittenWhenAskedTo) {
    SigningRequest get;
    get.url = "https://bucket.s3.us-west-2.amazonaws.com/a%20b//c";
    SigningContext context = ecs_context();
    context.normalize_path = false;
    context.encode_path_twice = false;
    Signature signature;
    (void)sign_headers(get, temporary_keys(), context, &signature);
    EXPECT_THAT(signature.canonical_request, testing::StartsWith("GET\n/a%20b//c\n"));
}

TEST(SigV4, LeavesTheSchemesOwnPortOutOfTheHost) {
    EXPECT_EQ(host_header("https://example.com:443/x"), "example.com");
    EXPECT_EQ(host_header("wss://example.com:443"), "example.com");
    EXPECT_EQ(host_header("http://example.com:443/"), "example.com:443");
    EXPECT_EQ(host_header("http://user:word@[::1]:8080/a?b"), "[::1]:8080");
    EXPECT_EQ(sha256_hex(""), kEmptyPayloadHash);
}

}  // namespace
}  // namespace nodeagent::net
