#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "runtime/registry/client.hpp"
#include "runtime/registry/digest.hpp"
#include "tests/fakes/fake_registry.hpp"

namespace nodeagent::runtime::registry {
namespace {

using fakes::FakeRegistry;
using fakes::gzip_layer;
using fakes::MadeImage;
using fakes::make_image;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using Answer = FakeRegistry::Answer;
using Request = FakeRegistry::Request;
using Script = std::optional<Answer>;

std::string noise(std::size_t size) {
    std::string out(size, '\0');
    std::uint32_t state = 1;
    for (char& c : out) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
    return out;
}

class RepositoryTest : public ::testing::Test {
  protected:
    RepositoryTest() {
        options.retry_pause = milliseconds(1);
        options.idle_timeout = milliseconds(300);
        registry.put("team/web:1", image);
    }
    ~RepositoryTest() override { registry.stop(); }
    RepositoryTest(const RepositoryTest&) = delete;
    RepositoryTest& operator=(const RepositoryTest&) = delete;
    Repository& repository() {
        if (!opened) {
            client.emplace(options);
            opened = client->open(*parse_reference(registry.address() + "/team/web:1"), auth);
        }
        return *opened;
    }
    /// What fetch_blob gives of the first layer from `offset` on.
    Result<std::string> fetch(std::int64_t offset = 0) {
        std::string bytes;
        const auto fetched = repository().fetch_blob(
            blob(), offset,
            [&bytes](std::string_view part) -> Result<void> {
                bytes += part;
                return {};
            },
            stop.get_token());
        if (!fetched) return fetched.error();
        return bytes;
    }
    [[nodiscard]] const std::string& layer() const { return image.layers[0].blob; }
    [[nodiscard]] BlobDescriptor blob() const {
        return {.media_type = "", .digest = digest_of(layer()), .size = static_cast<std::int64_t>(layer().size())};
    }
    static bool is_blob(const Request& request) { return request.target.find("/blobs/") != std::string::npos; }

    FakeRegistry registry;
    const MadeImage image = make_image({gzip_layer(noise(300000))});
    RegistryOptions options;
    RegistryAuth auth;
    std::stop_source stop;
    std::optional<RegistryClient> client;
    std::unique_ptr<Repository> opened;
};

// ---- manifests

TEST_F(RepositoryTest, ATagIsResolvedWithoutFetchingTheManifest) {
    const auto descriptor = repository().resolve({});
    ASSERT_TRUE(descriptor) << descriptor.error().what;
    EXPECT_EQ(descriptor->digest, image.digest());
    EXPECT_EQ(descriptor->media_type, image.manifest_type);
    EXPECT_EQ(registry.count("GET", "/manifests/"), 0);
}

TEST_F(RepositoryTest, ARegistryThatDoesNotAnswerHeadInFullIsAskedWithGet) {
    registry.intercept([](const Request& request) -> Script {
        if (request.method == "HEAD") return Answer{.status = 405};
        return {};
    });
    const auto descriptor = repository().resolve({});
    ASSERT_TRUE(descriptor) << descriptor.error().what;
    EXPECT_EQ(descriptor->digest, image.digest());
}

TEST_F(RepositoryTest, AManifestThatIsNotWhatItsDigestSaysIsRefused) {
    registry.intercept([this](const Request& request) -> Script {
        Answer lie = registry.proper(request);
        lie.body += " ";
        return lie;
    });
    for (const auto& document : {repository().fetch_top({}), repository().fetch_manifest(image.digest(), {})}) {
        ASSERT_FALSE(document);
        EXPECT_EQ(document.error().kind, ErrorKind::Malformed);
        EXPECT_EQ(document.error().what, "manifest verification failed for digest " + image.digest());
    }
}

TEST_F(RepositoryTest, AnEndlessManifestIsCutOff) {
    registry.intercept([](const Request&) -> Script { return Answer{.body = std::string(kMaxManifest + 1, 'x')}; });
    const auto document = repository().fetch_top({});
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(document.error().what, HasSubstr("longer than"));
}

TEST_F(RepositoryTest, EndlessHeadersAreCutOff) {
    registry.intercept([](const Request&) -> Script {
        Answer answer;
        for (int i = 0; i < 100; ++i) answer.headers.emplace_back("X-" + std::to_string(i), std::string(1000, 'x'));
        return answer;
    });
    EXPECT_EQ(repository().fetch_top({}).error().kind, ErrorKind::Malformed);
}

TEST_F(RepositoryTest, AnUnknownTagIsNotFoundInDockersWords) {
    client.emplace(options);
    opened = client->open(*parse_reference(registry.address() + "/team/web:9"), auth);
    const auto document = opened->fetch_top({});
    EXPECT_EQ(document.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(document.error().what,
              "manifest for " + registry.address() + "/team/web:9 not found: manifest unknown: not here");
    EXPECT_EQ(opened->resolve({}).error().what, document.error().what);
}

TEST_F(RepositoryTest, NoRegistryIsUnavailableAndNamed) {
    client.emplace(options);
    opened = client->open(*parse_reference("127.0.0.1:1/nobody:1"), auth);
    const auto document = opened->fetch_top({});
    EXPECT_EQ(document.error().kind, ErrorKind::Unavailable);
    EXPECT_THAT(document.error().what, HasSubstr("dial tcp 127.0.0.1:1: connect: connection refused"));
}

// ---- trouble that passes

TEST_F(RepositoryTest, AThrottledRequestIsMadeAgain) {
    registry.intercept([](const Request& request) -> Script {
        if (request.number < 3) return Answer{.status = 429, .headers = {{"Retry-After", "0"}}};
        return {};
    });
    EXPECT_TRUE(repository().fetch_top({}));
    EXPECT_EQ(registry.count("GET", "/manifests/"), 3);
}

TEST_F(RepositoryTest, ALongWaitIsLeftToTheCaller) {
    registry.intercept([](const Request&) -> Script {
        return Answer{
            .status = 429,
            .headers = {{"Retry-After", "3600"}},
            .body = R"({"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]})"};
    });
    const auto document = repository().fetch_top({});
    EXPECT_EQ(document.error().kind, ErrorKind::Throttled);
    EXPECT_EQ(document.error().what, "toomanyrequests: You have reached your pull rate limit.");
    EXPECT_EQ(registry.count("GET", "/manifests/"), 1);
    const auto bytes = fetch();
    EXPECT_EQ(bytes.error().kind, ErrorKind::Throttled);
}

TEST_F(RepositoryTest, ABlobThatBreaksOffAgainAndAgainIsTakenUpWhereItBroke) {
    registry.intercept([this](const Request& request) -> Script {
        if (!is_blob(request)) return {};
        Answer part = registry.proper(request);
        if (part.body.size() > 50000) part.break_after = 40000;
        return part;
    });
    const auto bytes = fetch();
    ASSERT_TRUE(bytes) << bytes.error().what;
    EXPECT_EQ(*bytes, layer());
    EXPECT_GE(registry.count("GET", "/blobs/"), 7);
    EXPECT_EQ(registry.requests().back().range.substr(0, 6), "bytes=");
}

TEST_F(RepositoryTest, ARegistryWithoutRangesSendsItAllAndTheBeginIsLeftOut) {
    registry.intercept([this](const Request& request) -> Script {
        if (!is_blob(request)) return {};
        Request whole = request;
        whole.range.clear();
        Answer answer = registry.proper(whole);
        if (request.range.empty()) answer.break_after = 70000;
        return answer;
    });
    const auto bytes = fetch();
    ASSERT_TRUE(bytes) << bytes.error().what;
    EXPECT_EQ(*bytes, layer());
}

TEST_F(RepositoryTest, AnotherRangeThanWasAskedForIsRefused) {
    registry.intercept([this](const Request& request) -> Script {
        if (!is_blob(request)) return {};
        Answer answer = registry.proper(request);
        answer.headers = {{"Content-Range", "bytes 5-9/10"}};
        return answer;
    });
    EXPECT_EQ(fetch(1000).error().kind, ErrorKind::Malformed);
}

TEST_F(RepositoryTest, ABlobThatStandsStillIsGivenUpAfterItsAttempts) {
    options.attempts = 2;
    registry.intercept([](const Request& request) -> Script {
        if (is_blob(request)) return Answer{.silent = true};
        return {};
    });
    const auto bytes = fetch();
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().kind, ErrorKind::Unavailable);
    EXPECT_THAT(bytes.error().what, HasSubstr("Client.Timeout exceeded"));
    EXPECT_EQ(registry.count("GET", "/blobs/"), 2);
}

TEST_F(RepositoryTest, MoreThanTheManifestSaysIsRefused) {
    registry.intercept([this](const Request& request) -> Script {
        if (!is_blob(request)) return {};
        return Answer{.body = layer() + "more"};
    });
    const auto bytes = fetch();
    EXPECT_EQ(bytes.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(bytes.error().what, HasSubstr("sent more of"));
}

TEST_F(RepositoryTest, LessThanTheManifestSaysIsNotTheBlob) {
    options.attempts = 2;
    registry.intercept([this](const Request& request) -> Script {
        if (!is_blob(request)) return {};
        return Answer{.body = layer().substr(0, 1000)};
    });
    const auto bytes = fetch();
    EXPECT_EQ(bytes.error().kind, ErrorKind::Unavailable);
    EXPECT_THAT(bytes.error().what, HasSubstr("unexpected EOF after 1000"));
}

TEST_F(RepositoryTest, AStopEndsATransferAtOnce) {
    options.idle_timeout = seconds(600);
    std::jthread stopper;
    registry.intercept([&](const Request& request) -> Script {
        if (!is_blob(request)) return {};
        stopper = std::jthread([this] { stop.request_stop(); });
        return Answer{.silent = true};
    });
    EXPECT_EQ(fetch().error().kind, ErrorKind::Timeout);
    registry.stop();  // its thread assigns to what ends here
}

TEST_F(RepositoryTest, TheSinksErrorIsTheOutcome) {
    const auto fetched =
        repository().fetch_blob(blob(), 0,
                                [](std::string_view) -> Result<void> {
                                    return Error{.kind = ErrorKind::Internal, .what = "no space left on device"};
                                },
                                {});
    EXPECT_EQ(fetched.error().what, "no space left on device");
    EXPECT_EQ(registry.count("GET", "/blobs/"), 1);
}

// ---- redirects

class RedirectTest : public RepositoryTest {
  protected:
    RedirectTest() {
        auth = {.username = "AWS", .password = Secret("secret"), .email = {}, .server_address = {}};
        bucket.put_blob(layer());
        registry.intercept([this](const Request& request) -> Script {
            if (request.authorization.empty()) {
                return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"x\""}}};
            }
            if (!is_blob(request)) return {};
            return Answer{.status = 307, .headers = {{"Location", target(request)}}};
        });
    }
    virtual std::string target(const Request& request) {
        return bucket.url() + "/x" + request.target.substr(request.target.find("/blobs/")) + "?X-Signature=secret-too";
    }
    FakeRegistry bucket;
};

TEST_F(RedirectTest, AnotherHostDoesNotGetTheAuthorization) {
    const auto bytes = fetch();
    ASSERT_TRUE(bytes) << bytes.error().what;
    EXPECT_EQ(*bytes, layer());
    ASSERT_EQ(bucket.requests().size(), 1U);
    EXPECT_EQ(bucket.requests()[0].authorization, "");
}

TEST_F(RedirectTest, AnAddressThatHasExpiredIsAskedForAgain) {
    bucket.intercept([](const Request& request) -> Script {
        if (request.number == 1) return Answer{.status = 403, .body = "<Error>expired</Error>"};
        return {};
    });
    ASSERT_TRUE(fetch());
    EXPECT_EQ(registry.count("GET", "/blobs/"), 3) << "challenged, redirected, redirected again";
}

TEST_F(RedirectTest, ASignedAddressIsNotInTheErrorText) {
    options.attempts = 1;
    bucket.intercept([](const Request&) -> Script { return Answer{.status = 500}; });
    const auto bytes = fetch();
    ASSERT_FALSE(bytes);
    EXPECT_THAT(bytes.error().what, Not(HasSubstr("secret")));
}

TEST_F(RedirectTest, AChallengeOfAnotherHostIsNotMet) {
    options.attempts = 1;
    bucket.intercept([](const Request&) -> Script {
        return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"give\""}}};
    });
    ASSERT_FALSE(fetch());
    for (const Request& request : bucket.requests()) EXPECT_EQ(request.authorization, "");
}

class RedirectLoopTest : public RedirectTest {
    std::string target(const Request& request) override { return registry.url() + request.target; }
};

TEST_F(RedirectLoopTest, IsGivenUp) {
    const auto bytes = fetch();
    EXPECT_EQ(bytes.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(bytes.error().what, HasSubstr("too many redirects"));
}

class RedirectElsewhereTest : public RedirectTest {
    std::string target(const Request&) override { return "file:///etc/passwd"; }
};

TEST_F(RedirectElsewhereTest, LeadsNowhereButToHttp) {
    EXPECT_THAT(fetch().error().what, HasSubstr("redirected to no http or https address"));
}

// ---- authorization

class TokenTest : public RepositoryTest {
  protected:
    TokenTest() {
        registry.intercept([this](const Request& request) -> Script {
            if (request.target.starts_with("/token")) {
                if (refuse_credentials) {
                    return Answer{.status = 401, .body = R"({"details":"incorrect username or password"})"};
                }
                current = "token-" + std::to_string(++given);
                return Answer{.body = R"({"token": ")" + current + R"(", "expires_in": 3600})"};
            }
            if (request.authorization == "Bearer " + current && !current.empty() && !scope_is_missing) return {};
            return Answer{
                .status = 401,
                .headers = {{"WWW-Authenticate",
                             "Bearer realm=\"" + registry.url() +
                                 "/token\",service=\"reg\",scope=\"repository:team/web:pull\"" +
                                 (scope_is_missing && !request.authorization.empty() ? ",error=\"insufficient_scope\""
                                                                                     : "")}},
                .body = R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})"};
        });
    }
    std::atomic<int> given{0};
    std::string current;
    bool refuse_credentials = false, scope_is_missing = false;
};

TEST_F(TokenTest, IsFetchedOnceForManyRequests) {
    ASSERT_TRUE(repository().fetch_top({}));
    ASSERT_TRUE(fetch());
    EXPECT_EQ(given, 1);
    EXPECT_EQ(registry.count("GET", "/token?service=reg&scope=repository%3Ateam%2Fweb%3Apull"), 1);
}

TEST_F(TokenTest, CredentialsGoToTheTokenServiceOnly) {
    auth = {.username = "me", .password = Secret("secret"), .email = {}, .server_address = {}};
    ASSERT_TRUE(repository().fetch_top({}));
    for (const Request& request : registry.requests()) {
        const bool token = request.target.starts_with("/token");
        EXPECT_EQ(request.authorization.starts_with("Basic "), token) << request.target;
    }
}

TEST_F(TokenTest, OneThatIsRefusedInTheMiddleOfAPullIsFetchedAnew) {
    ASSERT_TRUE(repository().fetch_top({}));
    current = "another";  // the registry has forgotten it
    ASSERT_TRUE(fetch());
    EXPECT_EQ(given, 2);
}

TEST_F(TokenTest, WrongCredentialsAreDeniedWithTheServicesWords) {
    auth = {.username = "me", .password = Secret("secret"), .email = {}, .server_address = {}};
    refuse_credentials = true;
    const auto document = repository().fetch_top({});
    EXPECT_EQ(document.error().kind, ErrorKind::Denied);
    EXPECT_THAT(document.error().what, HasSubstr("unauthorized: incorrect username or password"));
    EXPECT_THAT(document.error().what, Not(HasSubstr("secret")));
}

TEST_F(TokenTest, WhatTheTokenDoesNotAllowIsDeniedInDockersWords) {
    scope_is_missing = true;
    const auto document = repository().fetch_top({});
    EXPECT_EQ(document.error().kind, ErrorKind::Denied);
    EXPECT_EQ(document.error().what,
              "pull access denied for " + registry.address() +
                  "/team/web, repository does not exist or may require 'docker login': denied: requested access to the "
                  "resource is denied");
}

class BasicTest : public RepositoryTest {
  protected:
    BasicTest() {
        registry.intercept([](const Request& request) -> Script {
            if (request.authorization == "Basic bWU6c2VjcmV0") return {};
            return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"Registry\""}}};
        });
    }
};

TEST_F(BasicTest, CredentialsAreSentOnceTheyAreAskedFor) {
    auth = {.username = "me", .password = Secret("secret"), .email = {}, .server_address = {}};
    ASSERT_TRUE(repository().fetch_top({}));
    ASSERT_TRUE(fetch());
    EXPECT_EQ(registry.requests()[0].authorization, "");
    EXPECT_EQ(registry.requests().back().authorization, "Basic bWU6c2VjcmV0");
    EXPECT_EQ(registry.requests().size(), 3U);
}

TEST_F(BasicTest, NoneAndWrongOnesAreDenied) {
    const auto none = repository().resolve({});
    EXPECT_EQ(none.error().kind, ErrorKind::Denied);
    EXPECT_THAT(none.error().what, HasSubstr("no basic auth credentials"));
    auth = {.username = "me", .password = Secret("wrong"), .email = {}, .server_address = {}};
    opened.reset();
    const auto wrong = repository().resolve({});
    EXPECT_EQ(wrong.error().kind, ErrorKind::Denied);
    EXPECT_EQ(wrong.error().what, "unauthorized: authentication required");
}

// ---- mirrors

TEST_F(RepositoryTest, AMirrorServesAndTheRegistryIsNotAsked) {
    FakeRegistry mirror;
    mirror.put("team/web:1", image);
    options.mirrors[registry.address()] = {mirror.url()};
    ASSERT_TRUE(repository().fetch_top({}));
    EXPECT_EQ(*fetch(), layer());
    EXPECT_TRUE(registry.requests().empty());
    EXPECT_THAT(mirror.requests()[0].target, HasSubstr("?ns="));
}

TEST_F(RepositoryTest, AMirrorThatLacksTheImageOrBreaksIsPassedOver) {
    FakeRegistry lacking, breaking;
    breaking.put("team/web:1", image);
    breaking.intercept([](const Request& request) -> Script {
        if (is_blob(request)) return Answer{.status = 500};
        return {};
    });
    options.attempts = 1;
    options.mirrors[registry.address()] = {"http://127.0.0.1:1", lacking.url(), breaking.url()};
    ASSERT_TRUE(repository().fetch_top({}));
    const auto bytes = fetch();
    ASSERT_TRUE(bytes) << bytes.error().what;
    EXPECT_EQ(*bytes, layer());
    EXPECT_EQ(registry.count("GET", "/blobs/"), 1);
}

}  // namespace
}  // namespace nodeagent::runtime::registry
