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

}  // namespace

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
