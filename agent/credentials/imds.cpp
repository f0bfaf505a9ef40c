#include "agent/credentials/imds.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/json.hpp"
#include "agent/base/random.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::credentials {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kBlackholed = "blackholed";
constexpr std::string_view kDisabled = "disabled by AWS_EC2_METADATA_DISABLED";
constexpr auto kConnectTimeout = 250ms;
constexpr auto kAttemptTimeout = 750ms;  // 250 ms to connect and 500 ms for the answer
constexpr auto kOperationTimeout = 5s;
constexpr int kAttempts = 5;
constexpr auto kLongestPause = 1s;
constexpr auto kTokenLifetime = 300s;
constexpr std::size_t kMaxAnswer = 1U << 20U;
constexpr const char* kTokenHeader = "x-aws-ec2-metadata-token";

double fraction() { return std::uniform_real_distribution<double>(0, 1)(thread_random()); }

ErrorKind kind_of(int status) {
    if (status == 404) return ErrorKind::NotFound;
    if (status == 401 || status == 403) return ErrorKind::Denied;
    if (status == 429) return ErrorKind::Throttled;
    return status >= 500 ? ErrorKind::Unavailable : ErrorKind::Internal;
}

bool worth_repeating(const Error& error) {
    return error.kind == ErrorKind::Timeout || error.kind == ErrorKind::Unavailable ||
           error.kind == ErrorKind::Throttled;
}

bool is_true(const config::Environment& environment, std::string_view name) {
    return equals_ignoring_case(config::value_of(environment, name), "true");
}

}  // namespace

ImdsOptions imds_options(const config::Environment& environment, bool blackholed) {
    ImdsOptions options;
    const std::string endpoint = config::value_of(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (!endpoint.empty()) {
        options.endpoint = endpoint.find("://") == std::string::npos ? "http://" + endpoint : endpoint;
        while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
    } else if (equals_ignoring_case(config::value_of(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), "ipv6")) {
        options.endpoint = "http://[fd00:ec2::254]";
    }
    options.v1_allowed = !is_true(environment, "AWS_EC2_METADATA_V1_DISABLED");
    if (is_true(environment, "AWS_EC2_METADATA_DISABLED")) options.refusal = kDisabled;
    if (blackholed) options.refusal = kBlackholed;
    return options;
}

bool is_blackholed(const Error& error) { return error.what.ends_with(kBlackholed) || error.what.ends_with(kDisabled); }

Imds::Imds(net::HttpClient& http, Clock& clock, ImdsOptions options)
    : http_(http), clock_(clock), options_(std::move(options)) {}

asio::awaitable<Result<net::HttpResponse>> Imds::send(net::HttpRequest request, SteadyTime deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.now().steady);
    if (left <= 0ms) co_return Error{.kind = ErrorKind::Timeout, .what = "no answer within 5s"};
    request.connect_timeout = std::min<std::chrono::milliseconds>(kConnectTimeout, left);
    request.total_timeout = std::min<std::chrono::milliseconds>(kAttemptTimeout, left);
    request.max_body = kMaxAnswer;
    request.use_proxy = false;  // link-local: a proxy would answer for its own host
    Result<net::HttpResponse> response = co_await http_.send(std::move(request));
    co_return response;
}

// Leaves token_ empty, without an error, when the request should go out without one.
asio::awaitable<Result<void>> Imds::renew_token(SteadyTime deadline) {
    if (!tokens_wanted_ || (!token_.empty() && clock_.now().steady < token_until_)) co_return Result<void>();
    token_.clear();
    net::HttpRequest request;
    request.method = "PUT";
    request.url = options_.endpoint + "/latest/api/token";
    request.headers = {{"x-aws-ec2-metadata-token-ttl-seconds", std::to_string(kTokenLifetime.count())}};
    const Result<net::HttpResponse> response = co_await send(std::move(request), deadline);
    if (response && response->status == 200) {
        const std::optional<long long> ttl = parse_integer(response->header("x-aws-ec2-metadata-token-ttl-seconds"));
        token_ = trimmed(response->body);
        token_until_ = clock_.now().steady +
                       std::chrono::seconds(ttl && *ttl > 0 ? std::min(*ttl, 21600LL) : kTokenLifetime.count());
        co_return Result<void>();
    }
    if (response && response->status == 400) {
        co_return Error{.kind = ErrorKind::Internal, .what = "the service refused the token request with status 400"};
    }
    if (!options_.v1_allowed) {
        const std::string why = response ? "status " + std::to_string(response->status) : response.error().what;
        co_return Error{.kind = response ? kind_of(response->status) : response.error().kind,
                        .what = "no token (" + why + ") and IMDSv1 is disabled"};
    }
    const bool will_not = !response || response->status == 403 || response->status == 404 || response->status == 405;
    if (will_not) tokens_wanted_ = false;
    co_return Result<void>();
}

asio::awaitable<Result<std::string>> Imds::attempt(std::string url, SteadyTime deadline) {
    const Result<void> token = co_await renew_token(deadline);
    if (!token) co_return token.error();
    net::HttpRequest request;
    request.url = std::move(url);
    if (!token_.empty()) request.headers.emplace_back(kTokenHeader, token_);
    const Result<net::HttpResponse> response = co_await send(std::move(request), deadline);
    if (!response) co_return response.error();
    if (response->status == 200) co_return response->body;
    if (response->status == 401) {
        token_.clear();
        tokens_wanted_ = true;
    }
    co_return Error{.kind = kind_of(response->status), .what = "status " + std::to_string(response->status)};
}

asio::awaitable<Result<std::string>> Imds::get(std::string path, Memory memory) {
    const std::string doing = "instance metadata " + path;
    if (!options_.refusal.empty()) {
        co_return Error{.kind = ErrorKind::Unavailable, .what = doing + ": " + options_.refusal};
    }
    if (const auto known = remembered_.find(path); known != remembered_.end()) co_return known->second;

    const SteadyTime deadline = clock_.now().steady + kOperationTimeout;
    for (int tries = 1;; ++tries) {
        Result<std::string> answer = co_await attempt(options_.endpoint + "/latest/" + path, deadline);
        if (answer) {
            if (memory == Memory::Keep) remembered_[path] = *answer;
            co_return answer;
        }
        // 401 is an outdated token: the next attempt gets a new one.
        const bool again = worth_repeating(answer.error()) || answer.error().what == "status 401";
        const auto pause = std::min<std::chrono::duration<double>>(
            kLongestPause, std::chrono::duration<double>(fraction() * (1 << (tries - 1))));
        const auto resume =
            clock_.now().steady + std::chrono::duration_cast<std::chrono::steady_clock::duration>(pause);
        if (!again || tries == kAttempts || resume >= deadline)
            co_return with_context(doing, std::move(answer).error());
        co_await clock_.sleep_until(resume);
    }
}

// control-plane.md 2.2, last paragraph
asio::awaitable<Result<std::string>> Imds::get_patiently(std::string path, Memory memory) {
    Backoff backoff(BackoffPolicy{.min = 1s, .max = 5s, .jitter = 0.2, .multiplier = 1.3});
    for (int tries = 1;; ++tries) {
        Result<std::string> answer = co_await get(path, memory);
        if (answer || tries == kAttempts || is_blackholed(answer.error())) co_return answer;
        const std::chrono::nanoseconds pause = backoff.next();
        co_await clock_.sleep_for(pause);
    }
}

asio::awaitable<Result<std::string>> Imds::mac() { return get("meta-data/mac", Memory::Keep); }

asio::awaitable<Result<std::string>> Imds::vpc_id(std::string mac) {
    return get("meta-data/network/interfaces/macs/" + mac + "/vpc-id", Memory::Keep);
}

asio::awaitable<Result<std::string>> Imds::subnet_id(std::string mac) {
    return get("meta-data/network/interfaces/macs/" + mac + "/subnet-id", Memory::Keep);
}

asio::awaitable<Result<std::string>> Imds::instance_id() {
    return get_patiently("meta-data/instance-id", Memory::Keep);
}

asio::awaitable<Result<std::string>> Imds::availability_zone_id() {
    return get_patiently("meta-data/placement/availability-zone-id", Memory::Keep);
}

asio::awaitable<Result<std::string>> Imds::region() { return get("meta-data/placement/region", Memory::Keep); }
asio::awaitable<Result<std::string>> Imds::user_data() { return get("user-data", Memory::Keep); }

asio::awaitable<Result<InstanceIdentity>> Imds::identity() {
    if (identity_) co_return *identity_;
    const Result<std::string> text = co_await identity_document();
    if (!text) co_return text.error();
    const Result<Json> document = parse_json(*text);
    if (!document) co_return with_context("instance identity document", document.error());
    const auto word = [&document](std::string_view name) {
        const Json* member = document->is_object() ? json_detail::member(*document, name) : nullptr;
        return member != nullptr && member->is_string() ? member->get<std::string>() : std::string();
    };
    InstanceIdentity found;
    found.region = word("region");
    found.instance_id = word("instanceId");
    found.instance_type = word("instanceType");
    found.availability_zone = word("availabilityZone");
    found.account_id = word("accountId");
    found.image_id = word("imageId");
    found.private_ip = word("privateIp");
    if (found.region.empty()) {
        co_return Error{.kind = ErrorKind::Malformed, .what = "instance identity document: it names no region"};
    }
    identity_ = found;
    co_return found;
}

asio::awaitable<Result<std::string>> Imds::target_lifecycle_state() {
    return get_patiently("meta-data/autoscaling/target-lifecycle-state", Memory::Forget);
}

asio::awaitable<Result<std::string>> Imds::identity_document() { return get("dynamic/instance-identity/document"); }
asio::awaitable<Result<std::string>> Imds::identity_signature() { return get("dynamic/instance-identity/signature"); }
asio::awaitable<Result<std::string>> Imds::spot_instance_action() { return get("meta-data/spot/instance-action"); }
asio::awaitable<Result<std::string>> Imds::outpost_arn() { return get("meta-data/outpost-arn"); }
asio::awaitable<Result<std::string>> Imds::local_ipv4() { return get("meta-data/local-ipv4"); }
asio::awaitable<Result<std::string>> Imds::public_ipv4() { return get("meta-data/public-ipv4"); }
asio::awaitable<Result<std::string>> Imds::ipv6() { return get("meta-data/ipv6"); }
asio::awaitable<Result<std::string>> Imds::role_names() { return get("meta-data/iam/security-credentials/"); }

asio::awaitable<Result<std::string>> Imds::role_credentials(std::string role) {
    return get("meta-data/iam/security-credentials/" + role);
}

}  // namespace nodeagent::credentials
