#pragma once
// A credentials Provider that gives what it was told, and counts.

#include <string>
#include <utility>

#include "agent/credentials/provider.hpp"

namespace nodeagent::fakes {

namespace asio = boost::asio;

class FixedCredentials final : public credentials::Provider {
  public:
    explicit FixedCredentials(std::string session_token = {}) {
        keys.access_key_id = "AKIDEXAMPLE";
        keys.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        keys.session_token = Secret(std::move(session_token));
        keys.source = "test";
    }
    asio::awaitable<Result<credentials::AwsCredentials>> get() override {
        ++gets;
        if (!refusal.empty()) co_return Error{.kind = ErrorKind::Denied, .what = refusal};
        co_return keys;
    }
    void invalidate() override { ++invalidations; }

    credentials::AwsCredentials keys;
    std::string refusal;  ///< non-empty: get() fails with it
    int gets = 0;
    int invalidations = 0;
};

}  // namespace nodeagent::fakes
