#include "agent/net/aws_client.hpp"

#include <random>

#include "agent/base/random.hpp"

#include <algorithm>
#include <utility>

#include "agent/base/log.hpp"
#include "agent/base/retries.hpp"
#include "agent/base/strings.hpp"
#include "agent/net/sigv4.hpp"

namespace nodeagent::net {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConnectTimeout{30'000};
constexpr const char* kFormType = "application/x-www-form-urlencoded; charset=utf-8";

ServiceError out_of_time(std::string_view host) {
    ServiceError error;
    error.kind = ErrorKind::Timeout;
    error.message = "no answer from " + std::string(host) + " before the deadline of the call";
    return error;
}

}  // namespace

AwsClient::AwsClient(AwsTransport transport, AwsService service, RetryPolicy retries)
    : transport_(transport), service_(std::move(service)), retries_(std::move(retries)) {}

asio::awaitable<ServiceResult<std::string>> AwsClient::call_json(std::string operation, std::string body,
                                                                 std::optional<SteadyTime> deadline) {
    std::string target = service_.target_prefix + '.' + operation;
    Headers headers;
    headers.emplace_back("Content-Type", "application/x-amz-json-1.1");
    headers.emplace_back("X-Amz-Target", target);
    co_return co_await post(std::move(target), std::move(headers), std::move(body), &json_service_error, deadline);
}

asio::awaitable<ServiceResult<std::string>> AwsClient::call_query(std::string form,
                                                                  std::optional<SteadyTime> deadline) {
    Headers headers;
    headers.emplace_back("Content-Type", kFormType);
    co_return co_await post(service_.signing_name, std::move(headers), std::move(form), &query_service_error, deadline);
}

asio::awaitable<ServiceResult<std::string>> AwsClient::call_gzip_query(std::string form,
                                                                       std::optional<SteadyTime> deadline) {
    Headers headers;
    headers.emplace_back("Content-Type", kFormType);
    headers.emplace_back("Content-Encoding", "gzip");
    co_return co_await post(service_.signing_name, std::move(headers), std::move(form), &query_service_error, deadline);
}

asio::awaitable<ServiceResult<std::string>> AwsClient::get_rest(RestCall rest, std::optional<SteadyTime> deadline) {
    Call one;
    one.name = std::move(rest.operation);
    one.request.method = "GET";
    one.request.url = std::move(rest.url);
    one.request.max_body = rest.max_body;
    one.request.body_sink = std::move(rest.body_sink);
    one.request.headers.emplace_back("X-Amz-Content-Sha256", std::string(kEmptyPayloadHash));
    one.decode_error = &query_service_error;  // the same elements, without a list around them
    one.s3 = true;
    co_return co_await call(std::move(one), deadline);
}

asio::awaitable<ServiceResult<std::string>> AwsClient::post(std::string name, Headers headers, std::string body,
                                                            DecodeError decode_error,
                                                            std::optional<SteadyTime> deadline) {
    Call one;
    one.name = std::move(name);
    one.request.method = "POST";
    one.request.url = service_.endpoint + "/";
    one.request.headers = std::move(headers);
    one.request.body = std::move(body);
    one.decode_error = decode_error;
    co_return co_await call(std::move(one), deadline);
}

asio::awaitable<ServiceResult<std::string>> AwsClient::call(Call call, std::optional<SteadyTime> deadline) {
    call.request.headers.emplace_back("Amz-Sdk-Invocation-Id", uuid4());
    int last_cost = 0;
    for (int number = 1;; ++number) {
        milliseconds timeout = service_.attempt_timeout;
        if (deadline) {
            const auto left = std::chrono::ceil<milliseconds>(*deadline - transport_.clock.now().steady);
            if (left <= milliseconds::zero()) co_return out_of_time(host_header(call.request.url));
            timeout = std::min(timeout, left);
        }
        HttpRequest numbered = call.request;
        numbered.headers.emplace_back(
            "Amz-Sdk-Request", "attempt=" + std::to_string(number) + "; max=" + std::to_string(retries_.max_attempts));
        ServiceResult<std::string> result = co_await attempt(std::move(numbered), call.s3, call.decode_error, timeout);
        if (result) {
            quota_.succeeded(last_cost);
            co_return std::move(*result);
        }
        ServiceError error = std::move(result).error();
        if (!is_retryable(error) || number >= retries_.max_attempts) co_return error;
        last_cost = quota_.take(error);
        if (last_cost == 0) {
            error.quota_exhausted = true;
            co_return error;
        }
        const double fraction = std::uniform_real_distribution<double>(0.0, 1.0)(thread_random());
        const std::chrono::nanoseconds delay = retries_.delay(number, fraction);
        count_retry(Retried::AwsCall, error.kind);
        log::debug("AWS call failed and is tried again",
                   {{"call", call.name}, {"attempt", number}, {"error", error.message}});
        co_await transport_.clock.sleep_for(delay);
    }
}

asio::awaitable<ServiceResult<std::string>> AwsClient::attempt(HttpRequest request, bool s3, DecodeError decode_error,
                                                               milliseconds timeout) {
    Result<credentials::AwsCredentials> keys = co_await transport_.credentials.get();
    if (!keys) {
        ServiceError error = transport_error(with_context("sign the request", std::move(keys).error()));
        error.kind = ErrorKind::Denied;  // whatever its reason, asking the service again would not mend it
        co_return error;
    }
    if (request.method != "GET") {
        request.headers.emplace_back("Content-Length", std::to_string(request.body.size()));
    }

    SigningRequest signing;
    signing.method = request.method;
    signing.url = request.url;
    signing.headers = request.headers;
    signing.payload_hash = sha256_hex(request.body);
    SigningContext context;
    context.region = service_.region;
    context.service = service_.signing_name;
    context.time = transport_.clock.now().wall;
    context.normalize_path = !s3;
    context.encode_path_twice = !s3;
    for (auto& header : sign_headers(signing, *keys, context)) request.headers.push_back(std::move(header));
    request.headers.emplace_back("User-Agent", service_.user_agent);  // after signing: proxies may rewrite it
    request.connect_timeout = std::min(kConnectTimeout, timeout);
    request.total_timeout = timeout;
    Result<HttpResponse> response = co_await transport_.http.send(std::move(request));
    if (!response) co_return transport_error(response.error());
    if (response->status < 200 || response->status > 299) co_return decode_error(*response);
    co_return std::move(response->body);
}

}  // namespace nodeagent::net
