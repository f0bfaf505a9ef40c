#include "agent/cli/logs/caller_credentials.hpp"

#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/time_format.hpp"
#include "agent/credentials/chain.hpp"

namespace nodeagent::cli {

namespace {

struct HandedOut {
    std::string access_key_id;
    Secret secret_access_key;
    Secret token;
    std::string expiration;
    static constexpr auto json_fields() {
        return std::tuple{required_field("AccessKeyId", &HandedOut::access_key_id),
                          required_field("SecretAccessKey", &HandedOut::secret_access_key),
                          optional_field("Token", &HandedOut::token),
                          optional_field("Expiration", &HandedOut::expiration)};
    }
};

class CallerCredentials final : public credentials::Provider {
  public:
    CallerCredentials(const config::Environment& environment, net::HttpClient& http, BlockingPool& pool, Clock& clock,
                      AskAgent agent)
        : imds_(http, clock, {.refusal = "left to the agent"}),
          own_(credentials::make_provider({.environment = environment}, http, imds_, pool, clock)),
          pool_(pool),
          clock_(clock),
          agent_(std::move(agent)) {}

    asio::awaitable<Result<credentials::AwsCredentials>> get() override {
        if (handed_out_ && (!handed_out_->expires_at || clock_.now().wall < *handed_out_->expires_at)) {
            co_return *handed_out_;
        }
        auto own = co_await own_->get();
        if (own) co_return own;
        auto asking = [ask = agent_] { return ask("/v1/instance-credentials"); };
        auto reply = co_await pool_.run(std::move(asking));
        if (!reply) co_return own;
        auto keys = decode<HandedOut>(reply->status == 200 ? reply->body : "{}");
        if (!keys) co_return own;
        credentials::AwsCredentials out;
        out.access_key_id = std::move(keys->access_key_id);
        out.secret_access_key = std::move(keys->secret_access_key);
        out.session_token = std::move(keys->token);
        out.expires_at = parse_rfc3339(keys->expiration);
        out.source = "the agent's own";
        handed_out_ = out;
        co_return out;
    }
    void invalidate() override {
        own_->invalidate();
        handed_out_.reset();
    }

  private:
    credentials::Imds imds_;
    std::unique_ptr<credentials::Provider> own_;
    BlockingPool& pool_;
    Clock& clock_;
    AskAgent agent_;
    std::optional<credentials::AwsCredentials> handed_out_;
};

}  // namespace

std::unique_ptr<credentials::Provider> caller_credentials(const config::Environment& environment, net::HttpClient& http,
                                                          BlockingPool& pool, Clock& clock, AskAgent agent) {
    return std::make_unique<CallerCredentials>(environment, http, pool, clock, std::move(agent));
}

}  // namespace nodeagent::cli
