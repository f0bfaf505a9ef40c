#pragma once
// The service as these suites see it: operations scripted by name, their bodies read back as JSON.

#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "agent/ecs/api_client.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/fixed_credentials.hpp"
#include "tests/fakes/manual_clock.hpp"

namespace nodeagent::ecs {

using fakes::run_until_idle;

inline std::string error_body(std::string_view code, std::string_view message = "told so") {
    return dump_json(Json{{"__type", code}, {"message", message}});
}

class EcsTest : public testing::Test {
  protected:
    EcsTest() { log::set_level(log::Level::None); }
    ~EcsTest() override { log::set_level(log::Level::Info); }

    using Answers = fakes::FakeHttpClient::Script;

    ApiClient api_client() {
        ApiClient::Options options;
        options.endpoint = "https://ecs.us-west-2.amazonaws.com";
        options.region = "us-west-2";
        options.user_agent = "Agent/1";
        return ApiClient({.http = http, .credentials = credentials, .clock = clock}, options);
    }

    /// Bodies sent to `operation`, in order.
    [[nodiscard]] std::vector<Json> sent(std::string_view operation) const {
        std::vector<Json> bodies;
        for (const net::HttpRequest& request : http.requests) {
            for (const auto& [name, value] : request.headers) {
                const bool names_it = name == "X-Amz-Target" && value.ends_with("." + std::string(operation));
                if (names_it) bodies.push_back(Json::parse(request.body));
            }
        }
        return bodies;
    }

    /// Turns the clock until `done` or nobody waits any more.
    template <class Done>
    void let_pass(Done done) {
        run_until_idle(io);
        while (!done() && clock.until_next()) clock.advance(*clock.until_next(), io);
    }

    asio::io_context io;
    fakes::ManualClock clock;
    fakes::FakeHttpClient http;
    fakes::FixedCredentials credentials;
    Scope scope{io.get_executor()};
};

}  // namespace nodeagent::ecs
