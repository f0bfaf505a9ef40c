#pragma once
// EcrApi over HTTPS.

#include <string>

#include "agent/engine/spec/ecr_tokens.hpp"
#include "agent/net/aws_endpoint.hpp"

namespace nodeagent::net {
class HttpClient;
}

namespace nodeagent::engine {

class EcrClient final : public EcrApi {
  public:
    /// `endpoint` holds the overrides of the environment; the request's own endpointOverride wins. `http` and `clock`
    /// must outlive the client.
    EcrClient(net::HttpClient& http, Clock& clock, net::EndpointOptions endpoint, std::string user_agent);
    asio::awaitable<Result<EcrToken>> authorization_token(model::EcrAuthData request,
                                                          credentials::AwsCredentials signer) override;

  private:
    net::HttpClient& http_;
    Clock& clock_;
    net::EndpointOptions endpoint_;
    std::string user_agent_;
};

/// The body of a GetAuthorizationToken answer; exactly one token is expected.
[[nodiscard]] Result<EcrToken> parse_authorization_token(std::string_view body);

}  // namespace nodeagent::engine
