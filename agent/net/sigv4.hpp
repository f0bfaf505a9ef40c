#pragma once
// AWS Signature Version 4, pure over its inputs. Three users: API requests (headers and body), websocket handshakes
// (no headers of their own, empty payload) and TCS frames (the connection's URL, the frame as payload).

#include <chrono>
#include <string>
#include <string_view>

#include "agent/net/http_client.hpp"

namespace nodeagent::credentials {
struct AwsCredentials;
}

namespace nodeagent::net {

/// SHA-256 of nothing: the payload hash of a request without body.
inline constexpr std::string_view kEmptyPayloadHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

struct SigningRequest {
    std::string method = "GET";
    std::string url;  ///< absolute; ws and wss count as http and https. '+' in the query means a space
    Headers headers;  ///< all of them get signed, besides Host (taken from the URL unless given here), date and token
    std::string payload_hash{kEmptyPayloadHash};
};

struct SigningContext {
    std::string region;
    std::string service;
    std::chrono::system_clock::time_point time;
    bool normalize_path = true;     ///< false for S3
    bool encode_path_twice = true;  ///< false for S3: the URL's path is canonical as it is written
    bool sign_token = true;         ///< false: the session token is added after signing
};

/// The intermediate forms too, for tests and for explaining a SignatureDoesNotMatch.
struct Signature {
    std::string canonical_request;
    std::string string_to_sign;
    std::string signed_headers;  ///< "host;x-amz-date"
    std::string scope;           ///< "20260101/us-west-2/ecs/aws4_request"
    std::string value;           ///< 64 hex digits
};

/// What to add to the request, in alphabetical order: Authorization, X-Amz-Date, and X-Amz-Security-Token if there is a
/// token. Host is signed but not among them.
[[nodiscard]] Headers sign_headers(const SigningRequest& request, const credentials::AwsCredentials& credentials,
                                   const SigningContext& context, Signature* signature = nullptr);

/// The URL with X-Amz-* parameters and X-Amz-Signature appended, valid for `expires`.
[[nodiscard]] std::string presign_url(const SigningRequest& request, const credentials::AwsCredentials& credentials,
                                      const SigningContext& context, std::chrono::seconds expires,
                                      Signature* signature = nullptr);

/// The Host header of a URL: "host", or "host:port" when the port is not the scheme's own.
[[nodiscard]] std::string host_header(std::string_view url);

}  // namespace nodeagent::net
