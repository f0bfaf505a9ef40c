#pragma once
// Calls to CloudWatch Logs: JSON 1.1, signed.

#include <optional>
#include <string>

#include "runtime/logs/credentials.hpp"
#include "runtime/logs/http.hpp"

namespace nodeagent::runtime::logs {

struct ServicePlace {
    std::string endpoint;  ///< no slash at the end
    std::string region;
    std::string user_agent;
    std::string format;  ///< of awslogs-format; empty: none
};
/// The option awslogs-endpoint, or the region's. Malformed if there is no region.
[[nodiscard]] Result<ServicePlace> service_place(const LoggerConfig& config);

struct ServiceReply {
    bool ok = false;
    std::string body;  ///< of a good answer
    std::string code;  ///< "ThrottlingException"; empty: no answer, or one without a code
    std::string what;  ///< for people
    std::string expected_token;
    int status = 0;  ///< 0: no answer
    [[nodiscard]] bool is(std::string_view name) const { return !ok && code == name; }
    /// Another try with the same request cannot help.
    [[nodiscard]] bool hopeless() const;
    /// The credentials were not taken: others may be.
    [[nodiscard]] bool not_trusted() const;
};

class LogsService {
  public:
    LogsService(Waiter& waiter, ServicePlace place, HttpOptions http, CredentialsSource source)
        : http_(waiter, std::move(http)), credentials_(waiter, std::move(source)), place_(std::move(place)) {}
    /// One attempt.
    [[nodiscard]] ServiceReply call(std::string_view operation, std::string_view body);
    void close() {
        http_.close();
        credentials_.close();
    }

  private:
    HttpConnection http_;
    CredentialsCache credentials_;
    ServicePlace place_;
};

}  // namespace nodeagent::runtime::logs
