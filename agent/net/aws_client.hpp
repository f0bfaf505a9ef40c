#pragma once
// Signed calls to one endpoint of one AWS service: credentials, SigV4, SDK headers, retries. The JSON 1.1 and query
// protocols are on top of it. Lives on one shard.

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/credentials/provider.hpp"  // the interface only; the library above us implements it
#include "agent/net/http_client.hpp"
#include "agent/net/retry.hpp"
#include "agent/net/service_error.hpp"

namespace nodeagent::net {

struct AwsService {
    std::string endpoint;      ///< "https://ecs.us-west-2.amazonaws.com"
    std::string signing_name;  ///< "ecs"
    std::string region;
    std::string target_prefix;  ///< JSON 1.1: "AmazonEC2ContainerServiceV20141113"
    std::string user_agent;
    std::chrono::milliseconds attempt_timeout{42'000};
};

/// All must outlive the client.
struct AwsTransport {
    HttpClient& http;
    credentials::Provider& credentials;
    Clock& clock;
};

/// A request of a REST protocol: S3.
struct RestCall {
    std::string operation;             ///< for people
    std::string url;                   ///< absolute, as it goes out: its path is canonical as it is written
    std::size_t max_body = 1U << 20U;  ///< of the answer
    std::shared_ptr<BodySink> body_sink;
};

class AwsClient {
  public:
    AwsClient(AwsTransport transport, AwsService service, RetryPolicy retries);

    /// JSON 1.1: POST / with X-Amz-Target; gives the body of a 2xx answer. `deadline` bounds the call with all retries.
    asio::awaitable<ServiceResult<std::string>> call_json(std::string operation, std::string body,
                                                          std::optional<SteadyTime> deadline = std::nullopt);
    /// Query protocol: POST / with a form that holds Action and Version; gives the XML of a 2xx answer.
    asio::awaitable<ServiceResult<std::string>> call_query(std::string form,
                                                           std::optional<SteadyTime> deadline = std::nullopt);
    /// The same with a form that is compressed already.
    asio::awaitable<ServiceResult<std::string>> call_gzip_query(std::string form,
                                                                std::optional<SteadyTime> deadline = std::nullopt);

    /// GET, signed as S3 wants it (x-amz-content-sha256, the path not encoded again); errors are S3's XML. Gives the
    /// body of a 2xx answer, "" when a sink took it.
    asio::awaitable<ServiceResult<std::string>> get_rest(RestCall call,
                                                         std::optional<SteadyTime> deadline = std::nullopt);

    [[nodiscard]] const AwsService& service() const { return service_; }
    [[nodiscard]] int retry_quota() const { return quota_.available(); }

  private:
    using DecodeError = ServiceError (*)(const HttpResponse&);
    struct Call {
        std::string name;  ///< for people
        HttpRequest request;
        DecodeError decode_error;
        bool s3 = false;
    };
    asio::awaitable<ServiceResult<std::string>> post(std::string name, Headers headers, std::string body,
                                                     DecodeError decode_error, std::optional<SteadyTime> deadline);
    asio::awaitable<ServiceResult<std::string>> call(Call call, std::optional<SteadyTime> deadline);
    asio::awaitable<ServiceResult<std::string>> attempt(HttpRequest request, bool s3, DecodeError decode_error,
                                                        std::chrono::milliseconds timeout);

    AwsTransport transport_;
    AwsService service_;
    RetryPolicy retries_;
    RetryQuota quota_;
};

}  // namespace nodeagent::net
