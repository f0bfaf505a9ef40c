#include "agent/local/signature_check.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::local {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::chrono::minutes kMaxSkew{5};

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    return hex({reinterpret_cast<const char*>(digest.data()), length});
}

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), digest.data(), &length);
    return {reinterpret_cast<const char*>(digest.data()), length};
}

struct Authorization {
    std::string access_key_id;
    std::string date;
    std::string region;
    std::string service;
    std::string signed_headers;
    std::string signature;
};

std::optional<Authorization> parse_authorization(std::string_view text) {
    if (!text.starts_with(kAlgorithm)) return std::nullopt;
    Authorization found;
    std::string_view credential;
    for (const std::string_view raw : split(text.substr(kAlgorithm.size()), ',')) {
        const std::string_view part = trimmed(raw);
        const auto equals = part.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view name = part.substr(0, equals);
        const std::string_view value = part.substr(equals + 1);
        if (name == "Credential") credential = value;
        if (name == "SignedHeaders") found.signed_headers = value;
        if (name == "Signature") found.signature = value;
    }
    const auto scope = split(credential, '/');
    if (scope.size() != 5 || scope[4] != "aws4_request" || found.signature.empty() || found.signed_headers.empty()) {
        return std::nullopt;
    }
    found.access_key_id = scope[0];
    found.date = scope[1];
    found.region = scope[2];
    found.service = scope[3];
    return found;
}

std::string single_spaced(std::string_view value) {
    std::string out;
    for (const char c : trimmed(value)) {
        if (c == ' ' && !out.empty() && out.back() == ' ') continue;
        out += c;
    }
    return out;
}

std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    if (query.empty()) return {};
    for (const std::string_view part : split(query, '&')) {
        const auto equals = part.find('=');
        const auto decoded = [](std::string_view text) {
            std::string plain(text);
            std::replace(plain.begin(), plain.end(), '+', ' ');
            return percent_decode(plain).value_or(plain);
        };
        const std::string name = decoded(part.substr(0, equals));
        const std::string value = equals == std::string_view::npos ? "" : decoded(part.substr(equals + 1));
        parameters.emplace_back(percent_encode(name), percent_encode(value));
    }
    std::sort(parameters.begin(), parameters.end());
    std::string text;
    for (const auto& [name, value] : parameters) text += (text.empty() ? "" : "&") + name + "=" + value;
    return text;
}

/// Nothing if a signed header is not there.
std::optional<std::string> canonical_headers(const SignedMessage& message, std::string_view signed_headers) {
    std::string text;
    for (const std::string_view name : split(signed_headers, ';')) {
        std::string values;
        bool present = false;
        for (const auto& [key, value] : message.headers) {
            if (!equals_ignoring_case(key, name)) continue;
            values += (present ? "," : "") + single_spaced(value);
            present = true;
        }
        if (!present) return std::nullopt;
        text += std::string(name) + ":" + values + "\n";
    }
    return text;
}

/// 20260203T040506Z
std::optional<WallTime> parse_amz_date(std::string_view text) {
    std::string digits(text);
    if (digits.size() != 16) return std::nullopt;
    const std::string extended = digits.substr(0, 4) + "-" + digits.substr(4, 2) + "-" + digits.substr(6, 2) + "T" +
                                 digits.substr(9, 2) + ":" + digits.substr(11, 2) + ":" + digits.substr(13, 2) + "Z";
    return parse_rfc3339(extended);
}

ApiError mismatch(std::string message) { return {.code = "InvalidSignatureException", .message = std::move(message)}; }

}  // namespace

std::string_view header_of(const SignedMessage& message, std::string_view name) {
    for (const auto& [key, value] : message.headers) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return {};
}

std::optional<ApiError> check_signature(const SignedMessage& message, const SecretLookup& secrets, WallTime now,
                                        std::string_view service) {
    const std::string_view header = header_of(message, "Authorization");
    if (header.empty()) {
        return ApiError{.code = "MissingAuthenticationTokenException", .message = "Missing Authentication Token"};
    }
    const auto authorization = parse_authorization(header);
    if (!authorization) {
        return ApiError{
            .code = "IncompleteSignatureException",
            .message =
                "The Authorization header must be AWS4-HMAC-SHA256 with Credential, SignedHeaders and Signature."};
    }
    const auto secret = secrets(authorization->access_key_id);
    if (!secret) {
        return ApiError{.code = "UnrecognizedClientException",
                        .message = "The security token included in the request is invalid."};
    }
    if (authorization->service != service) {
        return mismatch("Credential should be scoped to correct service: '" + std::string(service) + "'.");
    }
    const std::string amz_date(header_of(message, "X-Amz-Date"));
    const auto signed_at = parse_amz_date(amz_date);
    if (!signed_at || !amz_date.starts_with(authorization->date)) {
        return ApiError{.code = "IncompleteSignatureException",
                        .message = "X-Amz-Date is missing, malformed, or of another day than the Credential scope."};
    }
    if (*signed_at < now - kMaxSkew || *signed_at > now + kMaxSkew) {
        return mismatch("Signature expired: " + amz_date + " is more than 5 minutes away from " + iso8601_basic(now) +
                        "; check the clock.");
    }
    const auto headers = canonical_headers(message, authorization->signed_headers);
    if (!headers) return mismatch("A header named in SignedHeaders is not part of the request.");

    const auto question = message.target.find('?');
    const std::string path = message.target.substr(0, question);
    const std::string query = question == std::string::npos ? "" : message.target.substr(question + 1);
    std::string plain_path = path.empty() ? "/" : path;
    std::string payload_hash = sha256_hex(message.body);
    if (service == "s3") {
        plain_path = percent_decode(plain_path).value_or(plain_path);
        const std::string_view declared = header_of(message, "X-Amz-Content-Sha256");
        if (declared != "UNSIGNED-PAYLOAD" && declared != payload_hash) {
            return ApiError{.code = "XAmzContentSHA256Mismatch",
                            .message = "The provided 'x-amz-content-sha256' header does not match what was computed."};
        }
        payload_hash = declared;
    }
    const std::string canonical = message.method + "\n" + percent_encode(plain_path, true) + "\n" +
                                  canonical_query(query) + "\n" + *headers + "\n" + authorization->signed_headers +
                                  "\n" + payload_hash;
    const std::string scope =
        authorization->date + "/" + authorization->region + "/" + authorization->service + "/aws4_request";
    const std::string to_sign = std::string(kAlgorithm) + "\n" + amz_date + "\n" + scope + "\n" + sha256_hex(canonical);
    std::string key = hmac("AWS4" + secret->reveal(), authorization->date);
    for (const std::string_view part : {std::string_view(authorization->region),
                                        std::string_view(authorization->service), std::string_view("aws4_request")}) {
        key = hmac(key, part);
    }
    const std::string expected = hex(hmac(key, to_sign));
    if (expected.size() != authorization->signature.size() ||
        CRYPTO_memcmp(expected.data(), authorization->signature.data(), expected.size()) != 0) {
        return mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key "
            "and signing method.");
    }
    return std::nullopt;
}

}  // namespace nodeagent::local
