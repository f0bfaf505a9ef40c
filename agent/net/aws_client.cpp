#include "agent/net/aws_client.hpp"

#include <random>

#include "agent/base/random.hpp"

#include <algorithm>
#include <utility>

#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/net/sigv4.hpp"

namespace nodeagent::net {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConnectTimeout{30'000};
constexpr milliseconds kAttemptTimeout{42'000};

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
    Headers headers;
    headers.emplace_back("Content-Type", "application/x-amz-json-1.1");
    headers.emplace_back("X-Amz-Target", service_.target_prefix + '.' + operation);
    co_return co_await call(std::move(headers), std::move(body), &json_service_error, deadline);
}

asio::awaitable<ServiceResult<std::string>> AwsClient::call_query(std::string form,
                                                                  std::optional<SteadyTime> deadline) {
    Headers headers;
    headers.emplace_back("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    co_return co_await call(std::move(headers), std::move(form), &query_service_error, deadline);
}

asio::awaitable<ServiceResult<std::string>> AwsClient::call(Headers headers, std::string body, DecodeError decode_error,
                                                            std::optional<SteadyTime> deadline) {
    headers.emplace_back("Amz-Sdk-Invocation-Id", uuid4());
    int last_cost = 0;
    for (int number = 1;; ++number) {
        milliseconds timeout = kAttemptTimeout;
        if (deadline) {
            const auto left = std::chrono::ceil<milliseconds>(*deadline - transport_.clock.now().steady);
            if (left <= milliseconds::zero()) co_return out_of_time(host_header(service_.endpoint));
            timeout = std::min(timeout, left);
        }
        Headers numbered = headers;
        numbered.emplace_back("Amz-Sdk-Request",
                              "attempt=" + std::to_string(number) + "; max=" + std::to_string(retries_.max_attempts));
        ServiceResult<std::string> result = co_await attempt(std::move(numbered), body, decode_error, timeout);
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
        const auto& target = headers.size() > 2 ? headers[1].second : service_.signing_name;
        log::debug("AWS call failed and is tried again",
                   {{"call", target}, {"attempt", number}, {"error", error.message}});
        co_await transport_.clock.sleep_for(delay);
    }
}

asio::awaitable<ServiceResult<std::string>> AwsClient::attempt(Headers headers, std::string body,
                                                               DecodeError decode_error, milliseconds timeout) {
    Result<credentials::AwsCredentials> keys = co_await transport_.credentials.get();
    if (!keys) {
        ServiceError error = transport_error(with_context("sign the request", std::move(keys).error()));
        error.kind = ErrorKind::Denied;  // whatever its reason, asking the service again would not mend it
        co_return error;
    }
    headers.emplace_back("Content-Length", std::to_string(body.size()));

    SigningRequest signing;
    signing.method = "POST";
    signing.url = service_.endpoint + "/";
    signing.headers = headers;
    signing.payload_hash = sha256_hex(body);
    SigningContext context;
    context.region = service_.region;
    context.service = service_.signing_name;
    context.time = transport_.clock.now().wall;
    for (auto& header : sign_headers(signing, *keys, context)) headers.push_back(std::move(header));
    headers.emplace_back("User-Agent", service_.user_agent);  // after signing: proxies may rewrite it

    HttpRequest request;
    request.method = signing.method;
    request.url = signing.url;
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.connect_timeout = std::min(kConnectTimeout, timeout);
    request.total_timeout = timeout;
    Result<HttpResponse> response = co_await transport_.http.send(std::move(request));
    if (!response) co_return transport_error(response.error());
    if (response->status < 200 || response->status > 299) co_return decode_error(*response);
    co_return std::move(response->body);
}

}  // namespace nodeagent::net
