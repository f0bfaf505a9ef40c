#include "agent/local/signature_check.hpp"

#include "agent/base/time_format.hpp"
#include "agent/local/credential_issuer.hpp"

namespace nodeagent::local {
namespace {

using namespace std::chrono_literals;

// Signed by botocore's SigV4Auth for service ecs, region us-west-2, with the published example key.
SignedMessage signed_by_botocore() {
    return {.method = "GET",
            .target = "/acs/ws?clusterArn=c&dockerVersion=DockerVersion%3A+20.10",
            .headers = {{"Host", "127.0.0.1:18080"},
                        {"X-Amz-Date", "20260203T040506Z"},
                        {"Authorization",
                         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/us-west-2/ecs/aws4_request, "
                         "SignedHeaders=host;x-amz-date, "
                         "Signature=4b694c09c97b14eef40068833d878153d4ea4c528d1f7b4483e98a4ed99d860d"}},
            .body = ""};
}

const WallTime kSignedAt = *parse_rfc3339("2026-02-03T04:05:06Z");

std::optional<Secret> example_secret(std::string_view key) {
    if (key != "AKIDEXAMPLE") return std::nullopt;
    return Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
}

std::string verdict(const SignedMessage& message, WallTime now = kSignedAt) {
    const auto wrong = check_signature(message, example_secret, now);
    return wrong ? wrong->code : "good";
}

TEST(SignatureCheck, AcceptsWhatAnotherImplementationSigned) { EXPECT_EQ(verdict(signed_by_botocore()), "good"); }

TEST(SignatureCheck, RefusesWhatWasChangedOnTheWay) {
    SignedMessage message = signed_by_botocore();
    message.target += "x";
    EXPECT_EQ(verdict(message), "InvalidSignatureException");
    message = signed_by_botocore();
    message.body = "{}";
    EXPECT_EQ(verdict(message), "InvalidSignatureException");
    message = signed_by_botocore();
    message.headers[0].second = "elsewhere";
    EXPECT_EQ(verdict(message), "InvalidSignatureException");
    message = signed_by_botocore();
    message.method = "POST";
    EXPECT_EQ(verdict(message), "InvalidSignatureException");
}

TEST(SignatureCheck, RefusesOldAndFutureDates) {
    EXPECT_EQ(verdict(signed_by_botocore(), kSignedAt + 4min), "good");
    EXPECT_EQ(verdict(signed_by_botocore(), kSignedAt + 6min), "InvalidSignatureException");
    EXPECT_EQ(verdict(signed_by_botocore(), kSignedAt - 6min), "InvalidSignatureException");
}

TEST(SignatureCheck, NamesWhatIsMissing) {
    SignedMessage message = signed_by_botocore();
    message.headers.pop_back();
    EXPECT_EQ(verdict(message), "MissingAuthenticationTokenException");
    message.headers.emplace_back("Authorization", "Basic abc");
    EXPECT_EQ(verdict(message), "IncompleteSignatureException");
    message = signed_by_botocore();
    message.headers.erase(message.headers.begin() + 1);
    EXPECT_EQ(verdict(message), "IncompleteSignatureException");
    message = signed_by_botocore();
    const auto unknown = check_signature(
        message, [](std::string_view) { return std::nullopt; }, kSignedAt);
    EXPECT_EQ(unknown->code, "UnrecognizedClientException");
}

TEST(CredentialIssuer, KnowsItsKeysAfterARestartWithTheSameSeed) {
    CredentialIssuer before(Secret("seed"), 1h);
    const IssuedCredentials issued = before.current("id", "role", kSignedAt, 10min);
    const CredentialIssuer after(Secret("seed"), 1h);
    EXPECT_EQ(after.secret_of(issued.access_key_id)->reveal(), issued.secret_access_key.reveal());
    const CredentialIssuer other(Secret("another"), 1h);
    EXPECT_EQ(other.secret_of(issued.access_key_id), std::nullopt);
}

TEST(CredentialIssuer, KeepsCredentialsUntilTheyAreAboutToEnd) {
    CredentialIssuer issuer(Secret("seed"), 1h);
    const std::string first = issuer.current("id", "role", kSignedAt, 10min).access_key_id;
    EXPECT_EQ(issuer.current("id", "role", kSignedAt + 49min, 10min).access_key_id, first);
    EXPECT_NE(issuer.current("id", "role", kSignedAt + 51min, 10min).access_key_id, first);
}

}  // namespace
}  // namespace nodeagent::local
