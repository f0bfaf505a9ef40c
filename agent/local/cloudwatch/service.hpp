#pragma once
// One HTTP request to CloudWatch, in any of the protocols its clients speak, and the answer in the same.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/local/cloudwatch/operations.hpp"
#include "agent/local/errors.hpp"

namespace nodeagent::local {

enum class CloudWatchProtocol : unsigned char {
    Query,  ///< forms and XML: the AWS CLI and boto3 of Debian 12
    Json,   ///< AWS JSON 1.0
    Cbor,   ///< Smithy RPC v2: SDKs from 2025 on
};

struct CloudWatchRequest {
    CloudWatchProtocol protocol = CloudWatchProtocol::Query;
    std::string operation;         ///< Query: in the body
    std::string content_encoding;  ///< "" or "gzip"
    std::string_view body;         ///< must outlive the answer
};

struct CloudWatchAnswer {
    unsigned status = 200;
    std::string content_type;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string operation;          ///< once it is known
    std::optional<ApiError> error;  ///< what the body tells, if it tells one
};

/// The protocol of a POST and, where they tell, its operation; nothing if it is not for CloudWatch. The body is left
/// empty.
[[nodiscard]] std::optional<CloudWatchRequest> cloudwatch_request(std::string_view target, std::string_view amz_target,
                                                                  std::string_view content_type);

/// Bodies end at 1 MiB as they are sent, at 8 MiB when unpacked. An exception is a mistake here.
[[nodiscard]] CloudWatchAnswer answer_cloudwatch(CloudWatch cloudwatch, const CloudWatchRequest& request,
                                                 const std::string& request_id);
/// The error instead, without a look at the body.
[[nodiscard]] CloudWatchAnswer refuse_cloudwatch(const CloudWatchRequest& request, const ApiError& error,
                                                 const std::string& request_id);

}  // namespace nodeagent::local
