// What a registry and its token service may answer: the first line is WWW-Authenticate, the rest the body. No secret of
// an answer is in an error; nothing that is sent on could begin another header.
#include "runtime/registry/challenge.hpp"
#include "runtime/registry/reference.hpp"
#include "runtime/registry/refusal.hpp"
#include "runtime/registry/token.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

bool fits_a_line(std::string_view text) {
    for (const char c : text) {
        if (c <= ' ' || c >= '\x7f') return false;
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace nodeagent;
    using namespace nodeagent::runtime;
    using fuzz::require;
    const std::string_view input = fuzz::text_of(bytes, size);
    const std::size_t line = input.find('\n');
    const std::string_view body = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
    for (const auto& challenge : registry::parse_challenges(input.substr(0, line))) {
        const auto url = registry::token_url(challenge, "team/web");
        if (url) require(fits_a_line(*url), "a token's address fits a request line", *url);
    }
    if (const auto token = registry::parse_token(body)) {
        require(fits_a_line(token->value.reveal()), "a token fits a header");
        require(token->lifetime >= std::chrono::seconds(60) && token->lifetime <= std::chrono::hours(24),
                "a token's life is bounded");
    }
    if (!fuzz::holds_secret(input)) {
        const std::string secret = R"({"token": ")" + std::string(fuzz::kSecret) + "\"," + std::string(body);
        const auto token = registry::parse_token(secret);
        if (!token) fuzz::require_no_secret(token.error().what, "a token is in an error");
    }
    const registry::Reference reference{.host = "r.example", .path = "web", .tag = "1", .digest = {}};
    for (const int status : {401, 403, 404, 429, 500}) {
        const Error error = registry::refusal(status, body, status == 401, reference, "Get \"https://r.example/v2/\"");
        require(!error.what.empty() && error.what.size() < 2048, "a refusal says something short", error.what);
        require(error.what.find_first_of("\r\n\x1b") == std::string::npos, "a refusal is one line", error.what);
    }
    (void)registry::parse_reference(input);
    return 0;
}
