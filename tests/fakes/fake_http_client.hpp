#pragma once
// A scripted HttpClient: answers by method and URL pattern, in order, the last one for ever; records every request.
//   FakeHttpClient http;
//   http.on("GET", "*/latest/meta-data/mac").reply(200, "0a:00");
//   http.on("POST", "https://ecs.*").fail({.kind = ErrorKind::Timeout, .what = "no answer"}).reply(200, "{}");
// A request nobody scripted fails as Unavailable and names itself.

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/net/http_client.hpp"

namespace nodeagent::fakes {

namespace asio = boost::asio;

/// '*' stands for any run of characters, also none.
inline bool matches(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern.front() != '*') {
        return !text.empty() && pattern.front() == text.front() && matches(pattern.substr(1), text.substr(1));
    }
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
        if (matches(pattern.substr(1), text.substr(skip))) return true;
    }
    return false;
}

class FakeHttpClient final : public net::HttpClient {
  public:
    using Answer = std::function<Result<net::HttpResponse>(const net::HttpRequest&)>;

    class Script {
      public:
        Script(std::string method, std::string url) : method_(std::move(method)), url_(std::move(url)) {}
        Script& reply(int status, std::string body = {}, net::Headers headers = {}) {
            net::HttpResponse response;
            response.status = status;
            response.headers = std::move(headers);
            response.body = std::move(body);
            return answer([response](const net::HttpRequest&) { return Result<net::HttpResponse>(response); });
        }
        Script& fail(Error error) {
            return answer([error](const net::HttpRequest&) { return Result<net::HttpResponse>(error); });
        }
        Script& answer(Answer next) {
            answers_.push_back(std::move(next));
            return *this;
        }

      private:
        friend class FakeHttpClient;
        std::string method_, url_;
        std::deque<Answer> answers_;
    };

    /// Later scripts are asked first, so that a test can override its fixture. `method` may be "*".
    Script& on(std::string method, std::string url_pattern) {
        return scripts_.emplace_front(std::move(method), std::move(url_pattern));
    }

    /// From now on requests wait (after being recorded) until release().
    void hold() { held_ = true; }
    void release() {
        held_ = false;
        for (auto& waiting : std::exchange(waiting_, {})) waiting->cancel();
    }

    asio::awaitable<Result<net::HttpResponse>> send(net::HttpRequest request) override {
        requests.push_back(request);
        requests.back().body_sink.reset();  // whoever asks owns it
        while (held_) {
            auto gate = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor);
            gate->expires_at(asio::steady_timer::time_point::max());
            waiting_.push_back(gate);
            boost::system::error_code woken;
            co_await gate->async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
        for (Script& script : scripts_) {
            const bool method_fits = script.method_ == "*" || script.method_ == request.method;
            if (!method_fits || script.answers_.empty() || !matches(script.url_, request.url)) continue;
            Answer next = script.answers_.front();
            if (script.answers_.size() > 1) script.answers_.pop_front();
            Result<net::HttpResponse> response = next(request);
            const bool sunk = request.body_sink && response && response->status >= 200 && response->status <= 299;
            if (sunk) {
                (void)request.body_sink->restart();
                const Result<void> written = request.body_sink->write(response->body);
                if (!written) co_return written.error();
                response->body.clear();
            }
            co_return response;
        }
        co_return Error{.kind = ErrorKind::Unavailable, .what = "no script for " + request.method + " " + request.url};
    }

    [[nodiscard]] std::size_t count(std::string_view method, std::string_view url_pattern) const {
        std::size_t found = 0;
        for (const net::HttpRequest& request : requests) {
            if ((method == "*" || method == request.method) && matches(url_pattern, request.url)) ++found;
        }
        return found;
    }

    std::vector<net::HttpRequest> requests;

  private:
    std::list<Script> scripts_;
    bool held_ = false;
    std::vector<std::shared_ptr<asio::steady_timer>> waiting_;
};

}  // namespace nodeagent::fakes
