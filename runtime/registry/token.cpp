#include "runtime/registry/token.hpp"

#include <algorithm>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/registry/bounded_json.hpp"

namespace nodeagent::runtime::registry {

namespace {

using std::chrono::seconds;

constexpr seconds kShortest{60};
constexpr seconds kLongest{24 * 3600};

std::string value_of(const Challenge& challenge, const char* name) {
    const auto found = challenge.values.find(name);
    return found == challenge.values.end() ? std::string() : found->second;
}

bool fits_a_header(std::string_view token) {
    return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string token_text(const Json& document, const char* name) {
    const auto found = document.find(name);
    return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Result<std::string> token_url(const Challenge& challenge, std::string_view repository_path) {
    std::string url = value_of(challenge, "realm");
    const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (!plain || (!url.starts_with("https://") && !url.starts_with("http://"))) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "the registry asks for a token but names no http or https address to get it from"};
    }
    if (const std::size_t hash = url.find('#'); hash != std::string::npos) url.resize(hash);
    char separator = url.find('?') == std::string::npos ? '?' : '&';
    const auto add = [&](const char* name, const std::string& value) {
        if (value.empty()) return;
        url += separator;
        url += std::string(name) + "=" + percent_encode(value);
        separator = '&';
    };
    add("service", value_of(challenge, "service"));
    std::string scope = value_of(challenge, "scope");
    if (scope.empty()) scope = "repository:" + std::string(repository_path) + ":pull";
    for (const std::string_view one : split(scope, ' ')) add("scope", std::string(one));
    return url;
}

Result<Token> parse_token(std::string_view body) {
    const auto document =
        parse_bounded("the answer of the token service", body, {.bytes = kMaxTokenAnswer, .depth = 8, .values = 1000});
    if (!document) {
        // a parser's complaint may quote what it stumbled over
        return Error{.kind = ErrorKind::Malformed,
                     .what = "the token service answered with something that is no token"};
    }
    if (!document->is_object()) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "the token service answered with something that is no token"};
    }
    std::string value = token_text(*document, "token");
    if (value.empty()) value = token_text(*document, "access_token");
    if (value.empty())
        return Error{.kind = ErrorKind::Denied, .what = "authorization server did not include a token in the response"};
    if (value.size() > kMaxToken || !fits_a_header(value)) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "the token service gave a token that cannot be sent in a header"};
    }
    Token out;
    out.value = Secret(std::move(value));
    const auto lifetime = document->find("expires_in");
    if (lifetime != document->end() && lifetime->is_number_integer()) {
        out.lifetime = seconds(std::clamp(lifetime->is_number_unsigned()
                                              ? static_cast<std::int64_t>(std::min<std::uint64_t>(
                                                    lifetime->get<std::uint64_t>(), std::uint64_t{1} << 40U))
                                              : lifetime->get<std::int64_t>(),
                                          std::int64_t{kShortest.count()}, std::int64_t{kLongest.count()}));
    }
    return out;
}

}  // namespace nodeagent::runtime::registry
