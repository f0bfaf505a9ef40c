#pragma once
// Path patterns to handlers, first match wins, as the reference's router matches (endpoints.md 1.2).
// Pattern language: literal text, "*" for one segment, possibly empty ([^/]*), and at the end of a pattern "**" for any
// rest, "++" for a rest that is not empty; neither of the two crosses a line feed.

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "metadata/message.hpp"

namespace nodeagent::metadata {

namespace asio = boost::asio;

/// What the pattern's wildcards stood for, in order; views into the path.
class Captures {
  public:
    static constexpr std::size_t kMax = 3;
    void push(std::string_view text) {
        if (size_ < kMax) values_[size_++] = text;
    }
    [[nodiscard]] std::string_view operator[](std::size_t i) const {
        return i < size_ ? values_[i] : std::string_view{};
    }
    [[nodiscard]] std::size_t size() const { return size_; }
    void clear() { size_ = 0; }

  private:
    std::array<std::string_view, kMax> values_{};
    std::size_t size_ = 0;
};

[[nodiscard]] bool matches(std::string_view pattern, std::string_view path, Captures& captures);

/// As Handler::handle, with what the wildcards stood for. `captures` is by value: its views outlive a suspension as the
/// request does.
using RouteHandler = std::function<std::optional<asio::awaitable<void>>(const Request&, Captures, Response&)>;

class Router {
  public:
    /// `method` empty: any.
    void add(std::string pattern, std::string_view method, RouteHandler handler);
    /// Runs the first route that fits path and method. Without one: 405 with an empty body when only the method did not
    /// fit, else "404 page not found".
    std::optional<asio::awaitable<void>> route(const Request& request, Response& answer) const;

  private:
    struct Route {
        std::string pattern;
        std::string method;
        RouteHandler handler;
    };
    std::vector<Route> routes_;
};

/// 301 to the clean form of the request's path, or nothing when it is clean.
[[nodiscard]] std::optional<Response> redirect_to_clean_path(const Request& request);

}  // namespace nodeagent::metadata
