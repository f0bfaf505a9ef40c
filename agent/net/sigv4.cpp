#include "agent/net/sigv4.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/credentials/provider.hpp"

namespace nodeagent::net {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

struct UrlParts {
    std::string_view scheme;
    std::string_view authority;  // without user information
    std::string_view path;       // as written; may be empty
    std::string_view query;      // as written, without '?'
};

UrlParts split_url(std::string_view url) {
    UrlParts parts;
    if (const std::size_t at = url.find("://"); at != std::string_view::npos) {
        parts.scheme = url.substr(0, at);
        url.remove_prefix(at + 3);
    }
    url = url.substr(0, url.find('#'));
    const std::size_t end = url.find_first_of("/?");
    parts.authority = url.substr(0, end);
    if (const std::size_t at = parts.authority.rfind('@'); at != std::string_view::npos) {
        parts.authority.remove_prefix(at + 1);
    }
    if (end == std::string_view::npos) return parts;
    url.remove_prefix(end);
    const std::size_t question = url.find('?');
    parts.path = url.substr(0, question);
    if (question != std::string_view::npos) parts.query = url.substr(question + 1);
    return parts;
}

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), out.data(), &length);
    return {reinterpret_cast<const char*>(out.data()), length};
}

// Removes "." and empty segments, resolves "..", keeps a trailing slash.
std::string without_dot_segments(std::string_view path) {
    std::vector<std::string_view> kept;
    const std::vector<std::string_view> segments = split(path, '/');
    for (const std::string_view segment : segments) {
        if (segment.empty() || segment == ".") continue;
        if (segment != "..") {
            kept.push_back(segment);
        } else if (!kept.empty()) {
            kept.pop_back();
        }
    }
    std::string out;
    for (const std::string_view segment : kept) out.append("/").append(segment);
    const std::string_view last = segments.back();
    if (out.empty() || last.empty() || last == "." || last == "..") out += '/';
    return out;
}

std::string canonical_path(std::string_view path, const SigningContext& context) {
    if (path.empty()) return "/";
    const std::string clean = context.normalize_path ? without_dot_segments(path) : std::string(path);
    if (context.encode_path_twice) return percent_encode(clean, true);
    return percent_encode(percent_decode(clean).value_or(clean), true);
}

// A query component in its one canonical spelling, whatever way it was written.
std::string reencoded(std::string_view component) {
    std::string plain(component);
    std::replace(plain.begin(), plain.end(), '+', ' ');
    return percent_encode(percent_decode(plain).value_or(plain));
}

std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    for (const std::string_view parameter : split(query, '&')) {
        if (parameter.empty()) continue;
        const std::size_t equals = parameter.find('=');
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
        parameters.emplace_back(reencoded(parameter.substr(0, equals)), reencoded(value));
    }
    std::sort(parameters.begin(), parameters.end());
    std::string out;
    for (const auto& [key, value] : parameters) {
        if (!out.empty()) out += '&';
        out.append(key).append("=").append(value);
    }
    return out;
}

// Trimmed, inner runs of white space as one space.
std::string folded(std::string_view value) {
    std::string out;
    for (const char c : trimmed(value)) {
        const bool space = c == ' ' || (c >= '\t' && c <= '\r');
        if (!space) {
            out += c;
        } else if (!out.ends_with(' ')) {
            out += ' ';
        }
    }
    return out;
}

using CanonicalHeaders = std::map<std::string, std::string>;

void add_header(CanonicalHeaders& headers, std::string_view name, std::string_view value) {
    std::string& joined = headers[lower(name)];
    if (!joined.empty()) joined += ',';
    joined += folded(value);
}

std::string names_of(const CanonicalHeaders& headers) {
    std::string out;
    for (const auto& [name, value] : headers) {
        if (!out.empty()) out += ';';
        out += name;
    }
    return out;
}

std::string scope_of(const SigningContext& context) {
    return iso8601_basic(context.time).substr(0, 8) + '/' + context.region + '/' + context.service + "/aws4_request";
}

Signature finished(const SigningRequest& request, const std::string& query, const CanonicalHeaders& headers,
                   const credentials::AwsCredentials& credentials, const SigningContext& context) {
    Signature out;
    out.signed_headers = names_of(headers);
    out.scope = scope_of(context);
    std::string& text = out.canonical_request;
    text.append(request.method).append("\n");
    text.append(canonical_path(split_url(request.url).path, context)).append("\n").append(query).append("\n");
    for (const auto& [name, value] : headers) text.append(name).append(":").append(value).append("\n");
    text.append("\n").append(out.signed_headers).append("\n").append(request.payload_hash);

    const std::string date = iso8601_basic(context.time);
    out.string_to_sign = std::string(kAlgorithm) + '\n' + date + '\n' + out.scope + '\n' + sha256_hex(text);
    const Secret secret("AWS4" + credentials.secret_access_key.reveal());
    const std::string key =
        hmac(hmac(hmac(hmac(secret.reveal(), date.substr(0, 8)), context.region), context.service), "aws4_request");
    out.value = hex(hmac(key, out.string_to_sign));
    return out;
}

CanonicalHeaders given_headers(const SigningRequest& request) {
    CanonicalHeaders headers;
    for (const auto& [name, value] : request.headers) add_header(headers, name, value);
    if (!headers.contains("host")) add_header(headers, "host", host_header(request.url));
    return headers;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned length = 0;
    EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, EVP_sha256(), nullptr);
    return hex({reinterpret_cast<const char*>(out.data()), length});
}

std::string host_header(std::string_view url) {
    const UrlParts parts = split_url(url);
    const bool secure = parts.scheme == "https" || parts.scheme == "wss";
    const std::string_view usual = secure ? ":443" : ":80";
    std::string_view host = parts.authority;
    if (host.ends_with(usual)) host.remove_suffix(usual.size());
    return std::string(host);
}

Headers sign_headers(const SigningRequest& request, const credentials::AwsCredentials& credentials,
                     const SigningContext& context, Signature* signature) {
    const std::string date = iso8601_basic(context.time);
    const bool has_token = !credentials.session_token.empty();
    CanonicalHeaders headers = given_headers(request);
    headers["x-amz-date"] = date;
    if (has_token && context.sign_token) headers["x-amz-security-token"] = credentials.session_token.reveal();

    Signature done = finished(request, canonical_query(split_url(request.url).query), headers, credentials, context);
    Headers added;
    added.emplace_back("Authorization", std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + '/' +
                                            done.scope + ", SignedHeaders=" + done.signed_headers +
                                            ", Signature=" + done.value);
    added.emplace_back("X-Amz-Date", date);
    if (has_token) added.emplace_back("X-Amz-Security-Token", credentials.session_token.reveal());
    if (signature != nullptr) *signature = std::move(done);
    return added;
}

std::string presign_url(const SigningRequest& request, const credentials::AwsCredentials& credentials,
                        const SigningContext& context, std::chrono::seconds expires, Signature* signature) {
    const CanonicalHeaders headers = given_headers(request);
    const auto parameter = [](std::string_view name, std::string_view value) {
        return std::string(name) + '=' + percent_encode(value);
    };
    std::string added = parameter("X-Amz-Algorithm", kAlgorithm);
    added += '&' + parameter("X-Amz-Credential", credentials.access_key_id + '/' + scope_of(context));
    added += '&' + parameter("X-Amz-Date", iso8601_basic(context.time));
    added += '&' + parameter("X-Amz-SignedHeaders", names_of(headers));
    added += '&' + parameter("X-Amz-Expires", std::to_string(expires.count()));
    std::string token;
    if (!credentials.session_token.empty()) {
        token = '&' + parameter("X-Amz-Security-Token", credentials.session_token.reveal());
    }

    const std::string_view query = split_url(request.url).query;
    const std::string before = query.empty() ? std::string() : std::string(query) + '&';
    const std::string signed_query = canonical_query(before + added + (context.sign_token ? token : std::string()));
    Signature done = finished(request, signed_query, headers, credentials, context);
    const std::string_view separator = query.empty() ? (request.url.ends_with('?') ? "" : "?") : "&";
    std::string url = request.url.substr(0, request.url.find('#'));
    url.append(separator).append(added).append(token).append("&X-Amz-Signature=").append(done.value);
    if (signature != nullptr) *signature = std::move(done);
    return url;
}

}  // namespace nodeagent::net
