#pragma once
// One set of credentials, whoever's they are: those of a role, for the calls made in its name.

#include <utility>

#include "agent/credentials/provider.hpp"

namespace nodeagent::credentials {

class FixedProvider final : public Provider {
  public:
    explicit FixedProvider(AwsCredentials credentials) : credentials_(std::move(credentials)) {}
    asio::awaitable<Result<AwsCredentials>> get() override { co_return credentials_; }
    void invalidate() override {}

  private:
    AwsCredentials credentials_;
};

}  // namespace nodeagent::credentials
