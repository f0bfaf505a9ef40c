#include "agent/engine/resources/s3.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "agent/base/strings.hpp"
#include "agent/credentials/fixed_provider.hpp"

namespace nodeagent::engine {

namespace {

bool is_host_label(std::string_view label) {
    constexpr std::size_t kLongest = 63;
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (label.empty() || label.size() > kLongest || !plain(label.front()) || !plain(label.back())) return false;
    return std::all_of(label.begin(), label.end(), [&](char c) { return plain(c) || c == '-'; });
}

bool can_be_in_host(std::string_view bucket, bool dots_too) {
    constexpr std::size_t kShortest = 3;
    const std::vector<std::string_view> labels = split(bucket, '.');
    if (bucket.size() < kShortest || (labels.size() > 1 && !dots_too)) return false;
    return std::all_of(labels.begin(), labels.end(), is_host_label);
}

bool is_address(std::string_view authority) {
    std::string host(authority.substr(0, authority.rfind(':')));
    if (authority.starts_with('[')) host = authority.substr(1, authority.find(']') - 1);
    boost::system::error_code failed;
    (void)boost::asio::ip::make_address(host, failed);
    return !failed;
}

/// S3's dual-stack names differ from those of other services: s3.dualstack.<region>.
std::string s3_endpoint(std::string_view region, net::EndpointOptions options) {
    const bool configured =
        !options.explicit_url.empty() || !options.service_url.empty() || !options.global_url.empty();
    const bool dualstack = !configured && std::exchange(options.dualstack, false);
    std::string url = net::resolve_endpoint("s3", region, options);
    if (dualstack) url.insert(url.find('.'), ".dualstack");
    return url;
}

net::AwsService service_of(const ServiceAccess& access, std::string region) {
    net::AwsService service;
    service.signing_name = "s3";
    service.region = std::move(region);
    service.user_agent = access.user_agent;
    return service;
}

Error failure(std::string_view operation, const net::ServiceError& error) {
    constexpr std::array<std::string_view, 2> kModelled{"NoSuchKey", "InvalidObjectState"};
    const bool modelled =
        operation == "GetObject" &&
        std::any_of(kModelled.begin(), kModelled.end(), [&](std::string_view code) { return error.is(code); });
    return Error{.kind = error.kind, .what = sdk_failure("S3", operation, error, modelled)};
}

}  // namespace

Result<S3Object> parse_s3_arn(std::string_view arn) {
    const Error invalid{.kind = ErrorKind::Malformed, .what = "invalid s3 arn: " + std::string(arn)};
    const std::size_t begin = arn.find("arn:");
    if (begin == std::string_view::npos) return invalid;
    const std::string_view rest = arn.substr(begin + 4);
    const std::size_t partition = rest.find(':');
    constexpr std::string_view kService = ":s3:::";
    if (partition == 0 || partition == std::string_view::npos || !rest.substr(partition).starts_with(kService)) {
        return invalid;
    }
    const std::string_view path = rest.substr(partition + kService.size());
    const std::size_t slash = path.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == path.size()) return invalid;
    return S3Object{std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

std::string s3_url(const S3Object& object, std::string_view region, const net::EndpointOptions& options) {
    std::string url = s3_endpoint(region, options);
    const std::size_t authority = url.find("://") + 3;
    const bool http = url.starts_with("http://");
    const std::string_view host = std::string_view(url).substr(authority, url.find('/', authority) - authority);
    if (!is_address(host) && can_be_in_host(object.bucket, http)) {
        url.insert(authority, object.bucket + ".");
    } else {
        url += "/" + percent_encode(object.bucket);
    }
    return url + "/" + percent_encode(object.key, true);
}

std::string parse_bucket_location(std::string_view xml) {
    const std::size_t open = xml.find("<LocationConstraint");
    const std::size_t begin = open == std::string_view::npos ? open : xml.find('>', open);
    if (begin == std::string_view::npos || xml[begin - 1] == '/') return "us-east-1";
    const std::string_view rest = xml.substr(begin + 1);
    std::string region = net::xml_text(rest.substr(0, rest.find('<')));
    if (region.empty()) return "us-east-1";  // buckets there have no constraint
    return region == "EU" ? "eu-west-1" : region;
}

asio::awaitable<Result<std::string>> bucket_region(const ServiceAccess& access, std::string bucket, std::string region,
                                                   credentials::AwsCredentials signer, SteadyTime deadline) {
    net::RestCall call;
    call.operation = "GetBucketLocation";
    std::string url = s3_url({bucket, ""}, region, access.endpoint("s3"));
    call.url = url + "?location=";
    credentials::FixedProvider provider(std::move(signer));
    const net::AwsTransport transport{.http = access.http, .credentials = provider, .clock = access.clock};
    net::AwsClient client(transport, service_of(access, std::move(region)), net::standard_retries());
    net::ServiceResult<std::string> answer = co_await client.get_rest(std::move(call), deadline);
    if (!answer) co_return failure("GetBucketLocation", answer.error());
    co_return parse_bucket_location(*answer);
}

asio::awaitable<Result<void>> download(const ServiceAccess& access, S3Object object, std::string region,
                                       credentials::AwsCredentials signer, std::shared_ptr<net::BodySink> sink,
                                       std::size_t max_bytes, SteadyTime deadline) {
    net::RestCall call;
    call.operation = "GetObject";
    call.url = s3_url(object, region, access.endpoint("s3")) + "?x-id=GetObject";
    call.max_body = max_bytes;
    call.body_sink = std::move(sink);
    credentials::FixedProvider provider(std::move(signer));
    const net::AwsTransport transport{.http = access.http, .credentials = provider, .clock = access.clock};
    net::AwsClient client(transport, service_of(access, std::move(region)), net::standard_retries());
    const net::ServiceResult<std::string> answer = co_await client.get_rest(std::move(call), deadline);
    if (!answer) co_return failure("GetObject", answer.error());
    co_return Result<void>{};
}

}  // namespace nodeagent::engine
