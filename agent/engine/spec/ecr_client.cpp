#include "agent/engine/spec/ecr_client.hpp"

#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/credentials/fixed_provider.hpp"
#include "agent/net/aws_client.hpp"

namespace nodeagent::engine {

namespace {

struct AuthorizationData {
    Secret token;
    std::string proxy_endpoint;
    double expires_at = 0;  ///< epoch seconds
    static constexpr auto json_fields() {
        using T = AuthorizationData;
        return std::tuple{required_field("authorizationToken", &T::token),
                          required_field("proxyEndpoint", &T::proxy_endpoint),
                          optional_field("expiresAt", &T::expires_at)};
    }
};

struct AuthorizationTokens {
    std::vector<AuthorizationData> data;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("authorizationData", &AuthorizationTokens::data)};
    }
};

}  // namespace

EcrClient::EcrClient(net::HttpClient& http, Clock& clock, net::EndpointOptions endpoint, std::string user_agent)
    : http_(http), clock_(clock), endpoint_(std::move(endpoint)), user_agent_(std::move(user_agent)) {}

asio::awaitable<Result<EcrToken>> EcrClient::authorization_token(model::EcrAuthData request,
                                                                 credentials::AwsCredentials signer) {
    net::EndpointOptions where = endpoint_;
    if (!request.endpoint_override.empty()) where.explicit_url = request.endpoint_override;
    net::AwsService service;
    service.endpoint = net::resolve_endpoint("api.ecr", request.region, where);
    service.signing_name = "ecr";
    service.region = request.region;
    service.target_prefix = "AmazonEC2ContainerRegistry_V20150921";
    service.user_agent = user_agent_;

    Json body = Json::object();
    if (!request.registry_id.empty()) body["registryIds"] = Json::array({request.registry_id});
    credentials::FixedProvider provider(std::move(signer));
    net::AwsTransport transport{http_, provider, clock_};
    net::AwsClient client(transport, std::move(service), net::standard_retries());
    net::ServiceResult<std::string> answer = co_await client.call_json("GetAuthorizationToken", dump_json(body));
    if (!answer) co_return net::to_error("get an ECR authorization token", answer.error());
    co_return parse_authorization_token(*answer);
}

Result<EcrToken> parse_authorization_token(std::string_view body) {
    const auto malformed = [](std::string_view detail) {  // the answer itself is a secret
        return Error{.kind = ErrorKind::Malformed, .what = "ECR's authorization token: " + std::string(detail)};
    };
    const Result<AuthorizationTokens> tokens = decode<AuthorizationTokens>(body);
    if (!tokens) return malformed("not the JSON that was expected");
    if (tokens->data.size() != 1) {
        return malformed("expected one, got " + std::to_string(tokens->data.size()));
    }
    const AuthorizationData& data = tokens->data.front();
    const std::optional<std::string> decoded = base64_decode(data.token.reveal());
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) return malformed("expected base64 of user:password");

    EcrToken token;
    token.auth.username = decoded->substr(0, colon);
    token.auth.password = Secret(decoded->substr(colon + 1));
    token.auth.server_address = data.proxy_endpoint;
    if (data.expires_at > 0) {
        token.expires_at = std::chrono::system_clock::time_point(
            std::chrono::milliseconds(static_cast<std::int64_t>(data.expires_at * 1000)));
    }
    return token;
}

}  // namespace nodeagent::engine
