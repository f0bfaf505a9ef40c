#pragma once
// RegisterContainerInstance (control-plane.md 3.4): builds the request, insists, and says how the process ends when the
// service will not have us.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include "agent/config/config.hpp"
#include "agent/credentials/provider.hpp"
#include "agent/ecs/api_client.hpp"
#include "agent/ecs/host_facts.hpp"

namespace nodeagent::ecs {

struct Registered {
    std::string container_instance_arn;
    std::string availability_zone;  ///< of the ecs.availability-zone attribute; "" when the service gave none
    std::string cluster;            ///< the configured one, or "default"
};

struct RegistrationFailure {
    int exit_code = 1;  ///< 5: a restart cannot help
    Error error;
};
[[noreturn]] void throw_exception_from_error(const RegistrationFailure& failure, const boost::source_location& where);

struct RegistrationInputs {
    const config::Config& config;
    HostFacts host;
    std::vector<model::Attribute> capabilities;       ///< of ecs::capabilities()
    std::string restored_arn;                         ///< empty: first registration
    std::optional<std::vector<std::string>> gpu_ids;  ///< GPU support is on and its file was there
    std::string outpost_arn;                          ///< empty: not on an Outpost
};

/// Where the parts that only the instance knows come from. An empty function counts as "not available".
struct RegistrationSources {
    using Text = std::function<asio::awaitable<Result<std::string>>()>;
    Text identity_document;
    Text identity_signature;
    /// Tags of the EC2 instance (ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM), unfiltered.
    std::function<asio::awaitable<Result<std::vector<model::Tag>>>()> instance_tags;
};

/// custom attributes (first registration), capabilities, then what describes the host.
[[nodiscard]] std::vector<model::Attribute> registration_attributes(const RegistrationInputs& inputs);
/// Configured tags and those of the instance without the reserved aws: ones; configured ones win. Ordered by key.
[[nodiscard]] std::vector<model::Tag> registration_tags(const config::Config& config,
                                                        const std::vector<model::Tag>& instance);
/// Every attribute we sent must come back with its value; names the first that did not.
[[nodiscard]] std::optional<std::string> attribute_mismatch(const std::vector<model::Attribute>& sent,
                                                            const std::vector<model::Attribute>& returned);
[[nodiscard]] int registration_exit_code(const net::ServiceError& error, bool re_registration);

class Registration {
  public:
    using Outcome = boost::system::result<Registered, RegistrationFailure>;
    Registration(ApiClient& api, credentials::Provider& credentials, Clock& clock, RegistrationSources sources);

    /// Retries transient failures for up to an hour. `inputs.config` must outlive the call.
    asio::awaitable<Outcome> run(RegistrationInputs inputs);

  private:
    asio::awaitable<std::string> fetch(RegistrationSources::Text source, std::string what);
    asio::awaitable<net::ServiceResult<model::ContainerInstance>> insist(
        model::RegisterContainerInstanceRequest request);
    asio::awaitable<net::ServiceResult<model::ContainerInstance>> register_in_default(
        model::RegisterContainerInstanceRequest request);

    ApiClient& api_;
    credentials::Provider& credentials_;
    Clock& clock_;
    RegistrationSources sources_;
};

}  // namespace nodeagent::ecs
