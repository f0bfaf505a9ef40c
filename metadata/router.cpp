#include "metadata/router.hpp"

#include "metadata/url_path.hpp"

namespace nodeagent::metadata {

bool matches(std::string_view pattern, std::string_view path, Captures& captures) {
    captures.clear();
    for (;;) {
        const std::size_t star = pattern.find_first_of("*+");
        const std::string_view literal = pattern.substr(0, star);
        if (!path.starts_with(literal)) return false;
        path.remove_prefix(literal.size());
        if (star == std::string_view::npos) return path.empty();
        pattern.remove_prefix(star);
        if (pattern == "**" || pattern == "++") {
            if (pattern == "++" && path.empty()) return false;
            if (path.find('\n') != std::string_view::npos) return false;
            captures.push(path);
            return true;
        }
        pattern.remove_prefix(1);
        const std::string_view segment = path.substr(0, path.find('/'));
        captures.push(segment);
        path.remove_prefix(segment.size());
    }
}

void Router::add(std::string pattern, std::string_view method, RouteHandler handler) {
    routes_.push_back({.pattern = std::move(pattern), .method = std::string(method), .handler = std::move(handler)});
}

std::optional<asio::awaitable<void>> Router::route(const Request& request, Response& answer) const {
    bool wrong_method = false;
    Captures captures;
    for (const Route& candidate : routes_) {
        if (!matches(candidate.pattern, request.path, captures)) continue;
        if (candidate.method.empty() || candidate.method == request.method) {
            return candidate.handler(request, captures, answer);
        }
        wrong_method = true;
    }
    if (wrong_method) {
        answer.status = 405;
    } else {
        answer = not_found();
    }
    return std::nullopt;
}

std::optional<Response> redirect_to_clean_path(const Request& request) {
    if (is_clean_path(request.path)) return std::nullopt;
    Response response;
    response.status = 301;
    std::string location = escape_path(clean_path(request.path));
    if (request.has_query) location.append("?").append(request.query);
    response.headers.emplace_back("Location", std::move(location));
    return response;
}

}  // namespace nodeagent::metadata
