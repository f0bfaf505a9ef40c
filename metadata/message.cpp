#include "metadata/message.hpp"

#include <algorithm>
#include <optional>

#include "agent/base/strings.hpp"

namespace nodeagent::metadata {

namespace {

// One side of a query pair; a broken escape makes the pair invalid, as in Go.
std::optional<std::string> query_decoded(std::string_view text) {
    std::string plain(text);
    std::replace(plain.begin(), plain.end(), '+', ' ');
    return percent_decode(plain);
}

std::optional<std::string> first_value(std::string_view query, std::string_view wanted) {
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (pair.empty() || pair.find(';') != std::string_view::npos) continue;  // Go refuses ';' in queries
        const std::size_t equals = pair.find('=');
        const auto name = query_decoded(pair.substr(0, equals));
        if (!name || *name != wanted) continue;
        auto value = query_decoded(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
        if (value) return value;
    }
    return std::nullopt;
}

/// "0", "0." and "0.000" are never; what is no weight at all counts as one that was not given.
bool is_weight_zero(std::string_view parameter) {
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return false;
    const std::string_view weight = parameter.substr(2);
    return weight.starts_with('0') && weight.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

bool Request::accepts_gzip() const {
    std::string_view rest = accept_encoding;
    while (!rest.empty()) {
        const std::size_t end = rest.find(',');
        const std::string_view coding = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        const std::size_t semicolon = coding.find(';');
        if (!equals_ignoring_case(trimmed(coding.substr(0, semicolon)), "gzip")) continue;
        return semicolon == std::string_view::npos || !is_weight_zero(trimmed(coding.substr(semicolon + 1)));
    }
    return false;
}

bool Request::has_parameter(std::string_view name) const { return first_value(query, name).has_value(); }

std::string Request::parameter(std::string_view name) const { return first_value(query, name).value_or(""); }

Response json_response(std::string body, unsigned status) {
    Response response;
    response.status = status;
    response.content_type = kJsonType;
    response.body = std::move(body);
    return response;
}

Response json_text(unsigned status, std::string_view text) {
    std::string body;
    append_json_string(body, text, true);
    return json_response(std::move(body), status);
}

Response not_found() {
    Response response;
    response.status = 404;
    response.content_type = kTextType;
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.body = "404 page not found\n";
    return response;
}

}  // namespace nodeagent::metadata
