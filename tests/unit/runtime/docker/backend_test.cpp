#include "runtime/docker/backend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/docker/raw_daemon.hpp"

namespace nodeagent::runtime::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Then = RawDaemon::Answer::Then;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kStreamHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string version_answer(const std::string& lowest, const std::string& highest) {
    return http_answer(200,
                       R"({"Version":"20.10.24","ApiVersion":")" + highest + R"(","MinAPIVersion":")" + lowest + "\"}");
}

class DockerBackendTest : public ::testing::Test {
  protected:
    DockerBackendTest() {
        Options options;
        options.host = daemon.address();
        backend = std::move(*make_backend(io.get_executor(), options));
    }
    Result<std::string> create(const std::string& version, const std::string& labels = R"({"task":"t1"})") {
        ContainerSpec spec;
        spec.name = "web";
        spec.api_version = version;
        spec.config = nlohmann::json::parse(R"({"Image":"i","Labels":)" + labels + "}");
        return run_on(io, backend->create(std::move(spec), seconds(20)));
    }
    Error pull(PullOptions options) {
        const auto pulled = run_on(io, backend->pull("busybox", {}, options, [this](const PullProgress& now) {
            progress.push_back(now.status);
        }));
        return pulled ? Error{.kind = ErrorKind::Internal, .what = "pulled"} : pulled.error();
    }
    asio::io_context io;
    RawDaemon daemon{io};
    std::unique_ptr<Backend> backend;
    std::vector<std::string> progress;
};

TEST_F(DockerBackendTest, AsksForTheVersionOnceAndThenSpeaksTheLowest) {
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer(http_answer(200, R"({"Id":"c1"})"));
    daemon.answer(http_answer(200, R"({"Id":"c1"})"));
    EXPECT_TRUE(run_on(io, backend->inspect("c1")));
    EXPECT_TRUE(run_on(io, backend->inspect("c1")));
    EXPECT_THAT(daemon.requests, ElementsAre("GET /version HTTP/1.1", "GET /v1.21/containers/c1/json HTTP/1.1",
                                             "GET /v1.21/containers/c1/json HTTP/1.1"));
}

TEST_F(DockerBackendTest, CreatesWithTheVersionThePayloadWasWrittenFor) {
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer(http_answer(201, R"({"Id":"c1","Warnings":[]})"));
    EXPECT_EQ(*create("1.30"), "c1");
    EXPECT_EQ(daemon.requests.back(), "POST /v1.30/containers/create?name=web HTTP/1.1");
}

TEST_F(DockerBackendTest, LoadsAnImageArchiveAsTar) {
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer(http_answer(200, "{\"stream\":\"Loaded image: a:1\\n\"}\r\n"));
    EXPECT_TRUE(run_on(io, backend->load_image("archive")));
    EXPECT_EQ(daemon.requests.back(), "POST /v1.21/images/load?quiet=1 HTTP/1.1");
}

TEST_F(DockerBackendTest, AnErrorAmongTheMessagesOfALoadIsItsError) {
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer(http_answer(200, "{\"errorDetail\":{\"message\":\"bad layer\"},\"error\":\"bad layer\"}\r\n"));
    const auto loaded = run_on(io, backend->load_image("archive"));
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().what, "bad layer");
}

TEST_F(DockerBackendTest, DoesNotRefuseADaemonForBeingNew) {
    daemon.answer(version_answer("1.60", "1.70"));
    daemon.answer(http_answer(200, "OK"));
    EXPECT_TRUE(run_on(io, backend->ping(seconds(20))));
    EXPECT_EQ(daemon.requests.back(), "GET /v1.60/_ping HTTP/1.1");
}

TEST_F(DockerBackendTest, SaysWhenWhatAnswersIsNoDockerDaemon) {
    daemon.answer(http_answer(200, "{}"));
    const auto capabilities = run_on(io, backend->probe());
    ASSERT_FALSE(capabilities);
    EXPECT_THAT(capabilities.error().what, HasSubstr("DOCKER_HOST"));
}

TEST_F(DockerBackendTest, AsksForTheVersionAgainAfterTheEventStreamBroke) {
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer(kStreamHead, Then::Close);
    daemon.answer(version_answer("1.44", "1.50"));
    daemon.answer(http_answer(200, "OK"));
    int connected = 0;
    run_on(io, backend->watch([&connected] { ++connected; }, [](const RuntimeEvent&) {}));
    EXPECT_EQ(connected, 1);
    EXPECT_THAT(daemon.requests.back(), StartsWith("GET /v1.21/events?filters="));
    EXPECT_THAT(daemon.requests.back(), HasSubstr("&since="));
    EXPECT_TRUE(run_on(io, backend->ping(seconds(20))));
    EXPECT_EQ(daemon.requests.back(), "GET /v1.44/_ping HTTP/1.1");
}

TEST_F(DockerBackendTest, StartsAgainAContainerWhoseDaemonForgotThatItRuns) {
    const std::string id(64, 'a');
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer(http_answer(500, R"({"message":"task )" + id + R"(: already exists"})"));
    daemon.answer(http_answer(204, ""));
    EXPECT_TRUE(run_on(io, backend->start(id, seconds(20))));
    EXPECT_EQ(daemon.requests.size(), 3U);
}

TEST_F(DockerBackendTest, TakesAContainerOfTheSameNameOnlyWithTheSameLabels) {
    const std::string conflict =
        http_answer(409, R"({"message":"Conflict. The container name \"/web\" is already in use"})");
    const std::string existing =
        http_answer(200, R"({"Id":"c9","Name":"/web","Config":{"Labels":{"task":"t1","more":"x"}}})");
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer(conflict);
    daemon.answer(existing);
    EXPECT_EQ(*create("1.18"), "c9");
    daemon.answer(conflict);
    daemon.answer(existing);
    const auto other = create("1.18", R"({"task":"t2"})");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::Conflict);
    EXPECT_EQ(other.error().what,
              "Error response from daemon: Conflict. The container name \"/web\" is already in use");
}

TEST_F(DockerBackendTest, NamesTheTransitionThatTookTooLong) {
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer("", Then::Hang);
    const auto started = run_on(io, backend->start("c1", milliseconds(20)));
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind, ErrorKind::Timeout);
    EXPECT_EQ(started.error().what, "Could not transition to started; timed out after waiting 20ms");
}

TEST_F(DockerBackendTest, TellsWhyAPullEnded) {
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer(kStreamHead, Then::Hang);
    PullOptions options;
    options.begin_timeout = milliseconds(20);
    EXPECT_EQ(pull(options).what, "Could not transition to pullBegin; timed out after waiting 20ms");
    EXPECT_EQ(daemon.requests.back(), "POST /v1.21/images/create?fromImage=busybox&tag=latest HTTP/1.1");
    EXPECT_THAT(daemon.heads.back(), HasSubstr("X-Registry-Auth: e30K\r\n"));

    daemon.answer(std::string(kStreamHead) + "17\r\n{\"status\":\"Pulling fs\"}\r\n1\r\n\n\r\n", Then::Hang);
    options = {};
    options.inactivity_timeout = milliseconds(20);
    const Error quiet = pull(options);
    EXPECT_EQ(quiet.what, "inactivity time exceeded timeout while pulling image");
    EXPECT_NE(quiet.kind, ErrorKind::Timeout);
    EXPECT_THAT(progress, ElementsAre("Pulling fs"));

    daemon.answer(std::string(kStreamHead) + "13\r\n{\"error\":\"denied\"}\n\r\n0\r\n\r\n");
    const Error denied = pull({});
    EXPECT_EQ(denied.kind, ErrorKind::Denied);
    EXPECT_EQ(denied.what, "denied");
}

TEST_F(DockerBackendTest, SkipsDigestsWithADaemonThatCannotAskRegistries) {
    daemon.answer(version_answer("1.12", "1.30"));
    EXPECT_EQ(*run_on(io, backend->resolve_digest("busybox", {}, seconds(20))), "");
}

TEST_F(DockerBackendTest, TakesNoDigestFromAnOldManifest) {
    daemon.answer(version_answer("1.12", "1.41"));
    daemon.answer(http_answer(
        200,
        R"({"Descriptor":{"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws","digest":"sha256:1"}})"));
    daemon.answer(http_answer(
        200, R"({"Descriptor":{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:2"}})"));
    EXPECT_EQ(*run_on(io, backend->resolve_digest("r.tld/a:b", {}, seconds(20))), "");
    EXPECT_EQ(*run_on(io, backend->resolve_digest("r.tld/a:b", {}, seconds(20))), "sha256:2");
    EXPECT_EQ(daemon.requests.back(), "GET /v1.35/distribution/r.tld/a%3Ab/json HTTP/1.1");
    EXPECT_THAT(daemon.heads.back(), HasSubstr("X-Registry-Auth: e30=\r\n"));
}

TEST(DockerOptions, NameTheCertificateThatCannotBeRead) {
    asio::io_context io;
    Options options;
    options.host = "tcp://127.0.0.1:2376";
    options.tls = options.tls_verify = true;
    options.cert_path = "/nonexistent";
    const auto backend = make_backend(io.get_executor(), options);
    ASSERT_FALSE(backend);
    EXPECT_EQ(backend.error().kind, ErrorKind::Malformed);
    EXPECT_THAT(backend.error().what, HasSubstr("/nonexistent/ca.pem"));
    EXPECT_THAT(backend.error().what, HasSubstr("DOCKER_CERT_PATH"));
}

}  // namespace
}  // namespace nodeagent::runtime::docker
