#pragma once
// ECS behind an HttpClient: every SubmitTaskStateChange is booked in the ledger, after a while, and some are refused,
// or taken without the agent hearing of it.

#include <string>

#include <nlohmann/json.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/random.hpp"
#include "agent/net/http_client.hpp"
#include "tests/bench/soak_ledger.hpp"

namespace nodeagent::soak {

class ScriptedService final : public net::HttpClient {
  public:
    ScriptedService(Ledger& ledger, Clock& clock, std::uint64_t seed) : ledger_(ledger), clock_(clock), random_(seed) {}

    boost::asio::awaitable<Result<net::HttpResponse>> send(net::HttpRequest request) override {
        const bool slow = random_() % 50 == 0;
        co_await clock_.sleep_for(milliseconds(slow ? 500 + random_() % 1500 : 1 + random_() % 40));
        const auto fate = random_() % 100;
        net::HttpResponse response;
        if (fate < 3) {
            response.status = 500;
            response.body = R"({"__type":"ServerException","message":"try again"})";
            co_return response;
        }
        if (fate == 3) {
            response.status = 400;
            response.body = R"({"__type":"ThrottlingException","message":"Rate exceeded"})";
            co_return response;
        }
        const bool answered = fate != 4;
        const auto submission = nlohmann::json::parse(request.body, nullptr, false);
        ledger_.book(submission, clock_.now().steady, answered);
        if (!answered) co_return Error{.kind = ErrorKind::Unavailable, .what = "connection reset by peer"};
        response.status = 200;
        response.body = R"({"acknowledgment":"soak"})";
        co_return response;
    }

  private:
    Ledger& ledger_;
    Clock& clock_;
    Random random_;
};

}  // namespace nodeagent::soak
