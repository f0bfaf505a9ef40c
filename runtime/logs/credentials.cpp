#include "runtime/logs/credentials.hpp"

#include <cstdlib>

#include "agent/base/json.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::runtime::logs {
namespace {

constexpr std::chrono::minutes kBeforeExpiry{10};
constexpr std::chrono::seconds kAskAgain{30};
constexpr std::chrono::milliseconds kAnswerIn{5'000};

struct CredentialsDocument {
    std::string access_key_id;
    Secret secret_access_key;
    Secret token;
    std::string expiration;
    static constexpr auto json_fields() {
        return std::tuple{required_field("AccessKeyId", &CredentialsDocument::access_key_id),
                          required_field("SecretAccessKey", &CredentialsDocument::secret_access_key),
                          optional_field("Token", &CredentialsDocument::token),
                          optional_field("Expiration", &CredentialsDocument::expiration)};
    }
};

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

Result<std::string> body_of(Result<SimpleResponse> response, std::string_view whose) {
    if (!response) return with_context(whose, std::move(response).error());
    if (response->status == 200) return std::move(response->body);
    return Error{.kind = response->status == 404 ? ErrorKind::NotFound : ErrorKind::Unavailable,
                 .what = std::string(whose) + ": status " + std::to_string(response->status)};
}

}  // namespace

Result<credentials::AwsCredentials> parse_credentials(std::string_view document) {
    auto decoded = decode<CredentialsDocument>(document);
    // the reason may quote the document
    if (!decoded) return Error{.kind = ErrorKind::Malformed, .what = "the answer holds no credentials"};
    credentials::AwsCredentials out;
    out.access_key_id = std::move(decoded->access_key_id);
    out.secret_access_key = std::move(decoded->secret_access_key);
    out.session_token = std::move(decoded->token);
    out.expires_at = parse_rfc3339(decoded->expiration);
    return out;
}

CredentialsSource credentials_source(const LoggerConfig& config) {
    CredentialsSource out = config.credentials;
    const auto path = config.options.find("awslogs-credentials-endpoint");
    if (out.uri.empty() && path != config.options.end() && !path->second.empty()) {
        out.uri = "http://127.0.0.1:51679" + path->second;
    }
    return out;
}

Result<credentials::AwsCredentials> CredentialsCache::from_imds() {
    SimpleRequest request;
    request.timeout = kAnswerIn;
    request.method = "PUT";
    request.url = imds_ + "/latest/api/token";
    request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}};
    auto token = body_of(http_.send(request), "instance metadata");
    if (!token) return std::move(token).error();
    request.method = "GET";
    request.headers = {{"X-aws-ec2-metadata-token", *token}};
    const std::string path = imds_ + "/latest/meta-data/iam/security-credentials/";
    request.url = path;
    auto role = body_of(http_.send(request), "instance role");
    if (!role) return std::move(role).error();
    request.url = path + role->substr(0, role->find('\n'));
    auto document = body_of(http_.send(request), "instance role");
    http_.close();
    if (!document) return std::move(document).error();
    return parse_credentials(*document);
}

Result<credentials::AwsCredentials> CredentialsCache::ask() {
    SimpleRequest request;
    request.timeout = kAnswerIn;
    if (!source_.uri.empty()) {
        request.url = source_.uri;
    } else if (!source_.socket.empty()) {
        request.url = "http://agent/v1/instance-credentials";
        request.unix_socket = source_.socket;
    } else if (source_.environment) {
        credentials::AwsCredentials out;
        out.access_key_id = variable("AWS_ACCESS_KEY_ID");
        out.secret_access_key = Secret(variable("AWS_SECRET_ACCESS_KEY"));
        out.session_token = Secret(variable("AWS_SESSION_TOKEN"));
        if (!out.access_key_id.empty()) return out;
        return Error{.kind = ErrorKind::Denied, .what = "AWS_ACCESS_KEY_ID is not set"};
    } else {
        return from_imds();
    }
    auto document = body_of(http_.send(request), "the agent's credentials");
    http_.close();
    if (!document) return std::move(document).error();
    return parse_credentials(*document);
}

Result<credentials::AwsCredentials> CredentialsCache::get() {
    const auto now = std::chrono::system_clock::now();
    const Monotonic since_start = std::chrono::steady_clock::now();
    const bool expired = kept_ && kept_->expires_at && *kept_->expires_at <= now;
    const bool soon = kept_ && kept_->expires_at && *kept_->expires_at - kBeforeExpiry <= now;
    if (kept_ && (!soon || (!expired && since_start - asked_ < kAskAgain))) return *kept_;
    asked_ = since_start;
    auto fresh = ask();
    if (fresh) {
        kept_ = *fresh;
        return fresh;
    }
    if (kept_ && !expired) return *kept_;
    return with_context("credentials", std::move(fresh).error());
}

}  // namespace nodeagent::runtime::logs
