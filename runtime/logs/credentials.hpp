#pragma once
// Credentials for the service: those of the task's execution role from the agent, the instance's from the agent or the
// metadata service, or the program's environment. Kept in memory alone, asked for anew before they expire; while nobody
// answers, the old ones serve until they do.

#include <optional>

#include "agent/credentials/provider.hpp"
#include "runtime/logs/config.hpp"
#include "runtime/logs/http.hpp"

namespace nodeagent::runtime::logs {

class CredentialsCache {
  public:
    /// `imds` is the metadata service's address.
    CredentialsCache(Waiter& waiter, CredentialsSource source, std::string imds = "http://169.254.169.254")
        : http_(waiter, {}), source_(std::move(source)), imds_(std::move(imds)) {}

    [[nodiscard]] Result<credentials::AwsCredentials> get();
    /// The service did not take them.
    void invalidate() { kept_.reset(); }
    void close() { http_.close(); }

  private:
    [[nodiscard]] Result<credentials::AwsCredentials> ask();
    [[nodiscard]] Result<credentials::AwsCredentials> from_imds();
    HttpConnection http_;
    CredentialsSource source_;
    std::string imds_;
    std::optional<credentials::AwsCredentials> kept_;
    Monotonic asked_{};
};

/// The document of credentials endpoints: AccessKeyId, SecretAccessKey, Token, Expiration.
[[nodiscard]] Result<credentials::AwsCredentials> parse_credentials(std::string_view document);

/// What a configuration says: its source, or the option awslogs-credentials-endpoint at the agent's address.
[[nodiscard]] CredentialsSource credentials_source(const LoggerConfig& config);

}  // namespace nodeagent::runtime::logs
