#pragma once
// S3, as far as environment files need it: where a bucket is, and one object into a file.

#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "agent/engine/resources/service_access.hpp"

namespace nodeagent::engine {

struct S3Object {
    std::string bucket;
    std::string key;
};

/// "arn:<partition>:s3:::<bucket>/<key>"; Malformed: "invalid s3 arn: <text>".
[[nodiscard]] Result<S3Object> parse_s3_arn(std::string_view arn);

/// Where the bucket (and in it the key; "" for the bucket itself) is reached. The bucket becomes part of the host name
/// where it can, as the SDK does: not when an explicit endpoint is an IP address, not for names that no host has, and
/// with dots only over http. The path is percent-encoded once, which is also its canonical form.
[[nodiscard]] std::string s3_url(const S3Object& object, std::string_view region, const net::EndpointOptions& options);

/// GetBucketLocation, asked in `region`. The error is the SDK's text.
asio::awaitable<Result<std::string>> bucket_region(const ServiceAccess& access, std::string bucket, std::string region,
                                                   credentials::AwsCredentials signer, SteadyTime deadline);
/// The region that a GetBucketLocation answer names.
[[nodiscard]] std::string parse_bucket_location(std::string_view xml);

/// GetObject into the sink; more than `max_bytes` is an error.
asio::awaitable<Result<void>> download(const ServiceAccess& access, S3Object object, std::string region,
                                       credentials::AwsCredentials signer, std::shared_ptr<net::BodySink> sink,
                                       std::size_t max_bytes, SteadyTime deadline);

}  // namespace nodeagent::engine
