#pragma once
// What the Authorization header to one endpoint is: nothing, Basic, or a bearer token that is fetched again when it is
// about to expire or is refused. Thread-safe: of several transfers whose token is refused, one fetches the next.

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/secret.hpp"
#include "runtime/registry/challenge.hpp"
#include "runtime/registry/http.hpp"
#include "runtime/registry/reference.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::registry {

class Authorizer {
  public:
    /// `auth` is empty where the endpoint is to have none. `insecure` as RegistryOptions has it: to no other token
    /// service are credentials sent without TLS. References must outlive this.
    Authorizer(Http& http, const Reference& reference, RegistryAuth auth, const std::vector<std::string>& insecure);

    struct Header {
        Secret value;  ///< "" : none
        std::uint64_t generation = 0;
    };
    /// What to send now; fetches a token when the one at hand is about to expire.
    Result<Header> header(const std::stop_token& stop);

    /// A request sent with `used` was answered 401: gets something better to send. Denied when there is nothing better;
    /// the text is for users.
    Result<void> refused(const HttpAsk& ask, const HttpAnswer& answer, std::uint64_t used, const std::stop_token& stop);

  private:
    Result<void> fetch_token(const std::stop_token& stop);
    [[nodiscard]] Secret basic() const;

    Http& http_;
    const Reference& reference_;
    const RegistryAuth auth_;
    const std::vector<std::string>& insecure_;

    std::mutex mutex_;
    std::optional<Challenge> bearer_;  ///< once the endpoint has asked for tokens
    Secret value_;
    std::uint64_t generation_ = 0;  ///< of value_; counts up with each
    std::chrono::steady_clock::time_point renew_ = std::chrono::steady_clock::time_point::max();
};

}  // namespace nodeagent::runtime::registry
