#include "agent/credentials/sources.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/random.hpp"
#include "agent/base/strings.hpp"
#include "agent/credentials/answer.hpp"
#include "agent/credentials/process.hpp"
#include "agent/credentials/profile.hpp"

namespace nodeagent::credentials {

namespace {

using namespace std::chrono_literals;
using config::Environment;
using config::value_of;

constexpr auto kReadAgain = 1min;     // files may be rewritten under us
constexpr auto kBeforeExpiry = 5min;  // as the SDK's default chain does for roles
constexpr auto kProcessTimeout = 60s;
constexpr std::size_t kMaxFile = 1U << 20U;

std::string either(const Environment& environment, std::string_view first, std::string_view second) {
    std::string value = value_of(environment, first);
    return value.empty() ? value_of(environment, second) : value;
}

Error not_set_up(std::string what) { return {.kind = ErrorKind::NotFound, .what = std::move(what)}; }
Error unsupported(std::string what) { return {.kind = ErrorKind::Denied, .what = std::move(what)}; }

std::optional<AwsCredentials> keys_of(const Profile& profile) {
    const auto word = [&profile](std::string_view key) {
        const auto found = profile.find(key);
        return found == profile.end() ? std::string() : found->second;
    };
    AwsCredentials credentials;
    credentials.access_key_id = word("aws_access_key_id");
    credentials.secret_access_key = Secret(word("aws_secret_access_key"));
    credentials.session_token = Secret(word("aws_session_token"));
    if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) return std::nullopt;
    return credentials;
}

class EnvironmentSource final : public Source {
  public:
    explicit EnvironmentSource(const Environment& environment) {
        credentials_.access_key_id = either(environment, "AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY");
        credentials_.secret_access_key = Secret(either(environment, "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"));
        credentials_.session_token = Secret(value_of(environment, "AWS_SESSION_TOKEN"));
        credentials_.source = name();
    }
    [[nodiscard]] std::string_view name() const override { return "environment"; }
    asio::awaitable<Result<AwsCredentials>> fetch() override {
        if (credentials_.access_key_id.empty()) co_return not_set_up("AWS_ACCESS_KEY_ID is not set");
        if (credentials_.secret_access_key.empty()) co_return not_set_up("AWS_SECRET_ACCESS_KEY is not set");
        co_return credentials_;
    }

  private:
    AwsCredentials credentials_;
};

class WebIdentitySource final : public Source {
  public:
    explicit WebIdentitySource(const Environment& environment)
        : wanted_(!value_of(environment, "AWS_WEB_IDENTITY_TOKEN_FILE").empty()) {}
    [[nodiscard]] std::string_view name() const override { return "web identity"; }
    asio::awaitable<Result<AwsCredentials>> fetch() override {
        if (wanted_)
            co_return unsupported("AWS_WEB_IDENTITY_TOKEN_FILE is set, but this agent does not support web identity");
        co_return not_set_up("AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    }

  private:
    bool wanted_;
};

class SharedFilesSource final : public Source {
  public:
    SharedFilesSource(const Environment& environment, SharedFiles which, BlockingPool& pool, Clock& clock)
        : pool_(pool), clock_(clock), which_(which) {
        const std::string home = value_of(environment, "HOME").empty() ? "/root" : value_of(environment, "HOME");
        credentials_path_ = value_of(environment, "AWS_SHARED_CREDENTIALS_FILE");
        if (credentials_path_.empty()) credentials_path_ = home + "/.aws/credentials";
        config_path_ = value_of(environment, "AWS_CONFIG_FILE");
        if (config_path_.empty()) config_path_ = home + "/.aws/config";
        profile_ = either(environment, "AWS_PROFILE", "AWS_DEFAULT_PROFILE");
        if (profile_.empty()) profile_ = "default";
    }
    [[nodiscard]] std::string_view name() const override { return "shared credentials files"; }

    asio::awaitable<Result<AwsCredentials>> fetch() override {
        // The credentials file wins; what it does not say may be in the config file.
        Profile merged;
        bool found = false;
        if (which_ == SharedFiles::CredentialsAndConfig) {
            const Result<bool> added = add(merged, config_path_, ProfileFile::Config);
            if (!added) co_return added.error();
            found = *added;
        }
        const Result<bool> added = add(merged, credentials_path_, ProfileFile::Credentials);
        if (!added) co_return added.error();
        if (!*added && !found) {
            const std::string where =
                credentials_path_ + (which_ == SharedFiles::CredentialsAndConfig ? " or " + config_path_ : "");
            co_return not_set_up("no profile \"" + profile_ + "\" in " + where);
        }
        if (std::optional<AwsCredentials> keys = keys_of(merged)) {
            keys->source = "profile " + profile_;
            keys->expires_at = clock_.now().wall + kReadAgain;
            co_return std::move(*keys);
        }
        if (const auto process = merged.find("credential_process"); process != merged.end()) {
            const std::string command = process->second;
            Result<AwsCredentials> answer = co_await from_process(command);
            co_return answer;
        }
        for (const std::string_view key : {"sso_session", "sso_start_url", "role_arn", "web_identity_token_file"}) {
            if (!merged.contains(key)) continue;
            co_return unsupported("profile \"" + profile_ + "\" has " + std::string(key) +
                                  ", which this agent does not support; use keys or credential_process");
        }
        co_return not_set_up("profile \"" + profile_ + "\" has no aws_access_key_id and aws_secret_access_key");
    }

  private:
    Result<bool> add(Profile& merged, const std::string& path, ProfileFile kind) const {
        const Result<std::string> text = read_file(path, kMaxFile);
        if (!text && text.error().kind == ErrorKind::NotFound) return false;
        if (!text) return text.error();
        const std::optional<Profile> profile = find_profile(*text, profile_, kind);
        if (!profile) return false;
        for (const auto& [key, value] : *profile) merged[key] = value;
        return true;
    }

    asio::awaitable<Result<AwsCredentials>> from_process(std::string command) {
        const std::string source = "credential_process of profile " + profile_;
        auto work = [command] { return output_of(command, kProcessTimeout); };
        const Result<std::string> output = co_await pool_.run(std::move(work));
        if (!output) co_return with_context(source, output.error());
        const Result<Json> document = parse_json(*output);
        const Json* version = document && document->is_object() ? json_detail::member(*document, "Version") : nullptr;
        if (version == nullptr || *version != 1) {
            co_return Error{.kind = ErrorKind::Malformed,
                            .what = source + ": expected a JSON object with \"Version\":1"};
        }
        const AnswerKeys keys{.token = "SessionToken"};
        Result<AwsCredentials> answer = parse_answer(*output, source, keys);
        co_return answer;
    }

    BlockingPool& pool_;
    Clock& clock_;
    SharedFiles which_;
    std::string credentials_path_;
    std::string config_path_;
    std::string profile_;
};

class RotatingFileSource final : public Source {
  public:
    RotatingFileSource(std::string path, std::string profile, Clock& clock)
        : path_(std::move(path)), profile_(std::move(profile)), clock_(clock) {
        if (profile_.empty()) profile_ = "default";
    }
    [[nodiscard]] std::string_view name() const override { return "rotating file"; }

    asio::awaitable<Result<AwsCredentials>> fetch() override {
        const Result<std::string> text = read_file(path_, kMaxFile);
        if (!text) co_return text.error();
        const std::optional<Profile> profile = find_profile(*text, profile_, ProfileFile::Credentials);
        if (!profile) co_return not_set_up("no profile \"" + profile_ + "\" in " + path_);
        std::optional<AwsCredentials> keys = keys_of(*profile);
        if (!keys) {
            co_return Error{
                .kind = ErrorKind::Malformed,
                .what = path_ + ": profile \"" + profile_ + "\" has no aws_access_key_id and aws_secret_access_key"};
        }
        keys->source = "rotating file " + path_;
        keys->expires_at = clock_.now().wall + kReadAgain;
        co_return std::move(*keys);
    }

  private:
    std::string path_;
    std::string profile_;
    Clock& clock_;
};

// The part of an http URL between "://" and the path, without a port; brackets of IPv6 are kept.
std::string_view host_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    std::string_view rest = url.substr(scheme + 3);
    rest = rest.substr(0, rest.find_first_of("/?#"));
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
    if (rest.starts_with('[')) return rest.substr(0, rest.find(']') + 1);
    return rest.substr(0, rest.find(':'));
}

// Plain http only where nobody can listen: loopback and the endpoints of ECS and EKS.
bool may_be_plain(std::string_view host) {
    return host == "localhost" || host.starts_with("127.") || host == "[::1]" || host == "169.254.170.2" ||
           host == "169.254.170.23" || equals_ignoring_case(host, "[fd00:ec2::23]");
}

class ContainerSource final : public Source {
  public:
    ContainerSource(const Environment& environment, net::HttpClient& http, Clock& clock) : http_(http), clock_(clock) {
        const std::string relative = value_of(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        url_ = relative.empty() ? value_of(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
                                : "http://169.254.170.2" + relative;
        token_ = Secret(value_of(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
        token_file_ = value_of(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    }
    [[nodiscard]] std::string_view name() const override { return "container credentials endpoint"; }

    asio::awaitable<Result<AwsCredentials>> fetch() override {
        if (url_.empty()) co_return not_set_up("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
        if (!url_.starts_with("https://") && !(url_.starts_with("http://") && may_be_plain(host_of(url_)))) {
            co_return unsupported("AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to a loopback address");
        }
        net::HttpRequest request;
        request.url = url_;
        request.connect_timeout = 1s;
        request.total_timeout = 2s;
        request.use_proxy = false;
        Secret token = token_;
        if (!token_file_.empty()) {
            const Result<std::string> text = read_file(token_file_, kMaxFile);
            if (!text) co_return with_context("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", text.error());
            token = Secret(std::string(trimmed(*text)));
        }
        if (token.reveal().find_first_of("\r\n") != std::string::npos) {
            co_return unsupported("the authorization token has a line break in it");
        }
        if (!token.empty()) request.headers.emplace_back("Authorization", token.reveal());
        request.headers.emplace_back("Accept", "application/json");

        constexpr int kLastTry = 3;
        for (int tries = 1;; ++tries) {
            const Result<net::HttpResponse> response = co_await http_.send(request);
            if (response && response->status == 200) {
                Result<AwsCredentials> answer = parse_answer(response->body, "container credentials endpoint");
                if (answer && answer->expires_at) *answer->expires_at -= kBeforeExpiry;
                co_return answer;
            }
            const bool again = !response || response->status >= 500 || response->status == 429;
            if (!again || tries == kLastTry) {
                if (!response) co_return response.error();
                co_return Error{.kind = ErrorKind::Denied, .what = "status " + std::to_string(response->status)};
            }
            co_await clock_.sleep_for(std::chrono::milliseconds(200) * tries);
        }
    }

  private:
    net::HttpClient& http_;
    Clock& clock_;
    std::string url_;
    Secret token_;
    std::string token_file_;
};

class InstanceRoleSource final : public Source {
  public:
    InstanceRoleSource(Imds& imds, Clock& clock) : imds_(imds), clock_(clock) {}
    [[nodiscard]] std::string_view name() const override { return "EC2 instance role"; }
    void invalidate() override { last_.reset(); }

    asio::awaitable<Result<AwsCredentials>> fetch() override {
        Result<AwsCredentials> answer = co_await ask();
        const WallTime now = clock_.now().wall;
        if (answer) {
            last_ = *answer;
            // The service may hand out credentials of six hours, but a changed role shows within one.
            const WallTime latest = now + 1h;
            answer->expires_at = std::min(answer->expires_at.value_or(latest) - kBeforeExpiry, latest);
            co_return answer;
        }
        if (!last_) co_return answer.error();
        AwsCredentials bridged = *last_;
        bridged.expires_at = now + std::chrono::seconds(std::uniform_int_distribution<int>(300, 900)(thread_random()));
        log::warn("instance metadata gave no credentials; using the previous ones a little longer",
                  {{"error", answer.error().what}});
        co_return bridged;
    }

  private:
    asio::awaitable<Result<AwsCredentials>> ask() {
        const Result<std::string> roles = co_await imds_.role_names();
        if (!roles) {
            if (roles.error().kind != ErrorKind::NotFound) co_return roles.error();
            co_return not_set_up("the instance has no role; attach an instance profile");
        }
        const std::string role(trimmed(split(*roles, '\n').front()));
        if (role.empty()) co_return not_set_up("the instance has no role; attach an instance profile");
        const Result<std::string> text = co_await imds_.role_credentials(role);
        if (!text) co_return text.error();
        Result<AwsCredentials> answer = parse_answer(*text, "EC2 role " + role);
        co_return answer;
    }

    Imds& imds_;
    Clock& clock_;
    std::optional<AwsCredentials> last_;
};

}  // namespace

std::unique_ptr<Source> environment_source(const Environment& environment) {
    return std::make_unique<EnvironmentSource>(environment);
}

std::unique_ptr<Source> web_identity_source(const Environment& environment) {
    return std::make_unique<WebIdentitySource>(environment);
}

std::unique_ptr<Source> shared_files_source(const Environment& environment, SharedFiles which, BlockingPool& pool,
                                            Clock& clock) {
    return std::make_unique<SharedFilesSource>(environment, which, pool, clock);
}

std::unique_ptr<Source> rotating_file_source(std::string path, std::string profile, Clock& clock) {
    return std::make_unique<RotatingFileSource>(std::move(path), std::move(profile), clock);
}

std::unique_ptr<Source> container_source(const Environment& environment, net::HttpClient& http, Clock& clock) {
    return std::make_unique<ContainerSource>(environment, http, clock);
}

std::unique_ptr<Source> instance_role_source(Imds& imds, Clock& clock) {
    return std::make_unique<InstanceRoleSource>(imds, clock);
}

}  // namespace nodeagent::credentials
