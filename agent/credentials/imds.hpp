#pragma once
// The EC2 instance metadata service (control-plane.md 2.2): IMDSv2 tokens with fallback to v1, short deadlines, five
// attempts, and a memory for what cannot change while the instance lives. One shard.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/config/environment.hpp"
#include "agent/net/http_client.hpp"

namespace nodeagent::credentials {

namespace asio = boost::asio;

struct ImdsOptions {
    std::string endpoint = "http://169.254.169.254";
    bool v1_allowed = true;  ///< false: AWS_EC2_METADATA_V1_DISABLED
    std::string refusal;     ///< non-empty: no request is made, every call fails with this text ("blackholed")
};

/// From AWS_EC2_METADATA_SERVICE_ENDPOINT, ..._ENDPOINT_MODE, AWS_EC2_METADATA_DISABLED and ..._V1_DISABLED.
[[nodiscard]] ImdsOptions imds_options(const config::Environment& environment, bool blackholed);

/// True for the error of a client that was told not to ask; trying again cannot help.
[[nodiscard]] bool is_blackholed(const Error& error);

struct InstanceIdentity {
    std::string region;
    std::string instance_id;
    std::string instance_type;
    std::string availability_zone;
    std::string account_id;
    std::string image_id;
    std::string private_ip;
};

/// Errors: NotFound for 404, Denied for 401 and 403, Throttled for 429, Unavailable for 5xx and for no answer.
class Imds {
  public:
    Imds(net::HttpClient& http, Clock& clock, ImdsOptions options);

    // Remembered for the life of the process once they succeeded.
    asio::awaitable<Result<std::string>> mac();
    asio::awaitable<Result<std::string>> vpc_id(std::string mac);
    asio::awaitable<Result<std::string>> subnet_id(std::string mac);
    asio::awaitable<Result<std::string>> instance_id();  ///< with five more spaced tries, as have the next two
    asio::awaitable<Result<std::string>> availability_zone_id();
    asio::awaitable<Result<std::string>> region();  ///< placement/region
    asio::awaitable<Result<std::string>> user_data();
    asio::awaitable<Result<InstanceIdentity>> identity();

    // Asked anew each time.
    asio::awaitable<Result<std::string>> target_lifecycle_state();
    asio::awaitable<Result<std::string>> identity_document();
    asio::awaitable<Result<std::string>> identity_signature();
    asio::awaitable<Result<std::string>> spot_instance_action();
    asio::awaitable<Result<std::string>> outpost_arn();
    asio::awaitable<Result<std::string>> local_ipv4();
    asio::awaitable<Result<std::string>> public_ipv4();
    asio::awaitable<Result<std::string>> ipv6();
    asio::awaitable<Result<std::string>> role_names();                        ///< one per line
    asio::awaitable<Result<std::string>> role_credentials(std::string role);  ///< JSON with secrets: not for logs

  private:
    enum class Memory : bool { Forget, Keep };
    asio::awaitable<Result<std::string>> get(std::string path, Memory memory = Memory::Forget);
    asio::awaitable<Result<std::string>> get_patiently(std::string path, Memory memory);
    asio::awaitable<Result<std::string>> attempt(std::string url, SteadyTime deadline);
    asio::awaitable<Result<void>> renew_token(SteadyTime deadline);
    asio::awaitable<Result<net::HttpResponse>> send(net::HttpRequest request, SteadyTime deadline);

    net::HttpClient& http_;
    Clock& clock_;
    ImdsOptions options_;
    std::map<std::string, std::string> remembered_;
    std::optional<InstanceIdentity> identity_;
    std::string token_;
    SteadyTime token_until_{};
    bool tokens_wanted_ = true;  ///< false after the service refused to issue one, until it answers 401
};

}  // namespace nodeagent::credentials
