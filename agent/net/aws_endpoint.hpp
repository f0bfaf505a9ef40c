#pragma once
// Where a regional AWS service answers: partition suffixes, FIPS and dual-stack names, and the overrides of the
// environment.

#include <string>
#include <string_view>

#include "agent/config/environment.hpp"

namespace nodeagent::net {

struct EndpointOptions {
    std::string
        explicit_url;  ///< ECS_BACKEND_HOST and the like: wins over everything; "https://" is added when schemeless
    std::string service_url;  ///< AWS_ENDPOINT_URL_<SERVICE>
    std::string global_url;   ///< AWS_ENDPOINT_URL
    bool fips = false;        ///< AWS_USE_FIPS_ENDPOINT
    bool dualstack = false;   ///< AWS_USE_DUALSTACK_ENDPOINT, or the host has IPv6 only
};

/// Reads the AWS_* variables for `service` ("ecs", "ec2"); explicit_url stays empty.
[[nodiscard]] EndpointOptions endpoint_options_from(const config::Environment& environment, std::string_view service);

/// "https://ecs.us-west-2.amazonaws.com"; no trailing slash.
[[nodiscard]] std::string resolve_endpoint(std::string_view service, std::string_view region,
                                           const EndpointOptions& options);

}  // namespace nodeagent::net
