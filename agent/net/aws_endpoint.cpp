#include "agent/net/aws_endpoint.hpp"

#include <array>

#include "agent/base/strings.hpp"

namespace nodeagent::net {

namespace {

// The SDK's partition table; the first whose prefix fits. Regions nobody listed belong to the commercial partition.
struct Partition {
    std::string_view region_prefix;
    std::string_view suffix;
    std::string_view dualstack_suffix;
};
constexpr std::array<Partition, 8> kPartitions{{
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"us-isof-", "csp.hci.ic.gov", "api.cloud-aws.hci.ic.gov"},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"us-gov-", "amazonaws.com", "api.aws"},
    {"", "amazonaws.com", "api.aws"},
}};

const Partition& partition_of(std::string_view region) {
    for (const Partition& partition : kPartitions) {
        if (region.starts_with(partition.region_prefix)) return partition;
    }
    return kPartitions.back();
}

std::string variable(const config::Environment& environment, const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : std::string(trimmed(found->second));
}

std::string as_url(std::string url) {
    if (url.find("://") == std::string::npos) url.insert(0, "https://");
    while (url.ends_with('/')) url.pop_back();
    return url;
}

}  // namespace

EndpointOptions endpoint_options_from(const config::Environment& environment, std::string_view service) {
    std::string upper;
    for (const char c : service) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    EndpointOptions options;
    if (!equals_ignoring_case(variable(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true")) {
        options.service_url = variable(environment, "AWS_ENDPOINT_URL_" + upper);
        options.global_url = variable(environment, "AWS_ENDPOINT_URL");
    }
    options.fips = equals_ignoring_case(variable(environment, "AWS_USE_FIPS_ENDPOINT"), "true");
    options.dualstack = equals_ignoring_case(variable(environment, "AWS_USE_DUALSTACK_ENDPOINT"), "true");
    return options;
}

std::string resolve_endpoint(std::string_view service, std::string_view region, const EndpointOptions& options) {
    for (const std::string* url : {&options.explicit_url, &options.service_url, &options.global_url}) {
        if (!url->empty()) return as_url(*url);
    }
    const Partition& partition = partition_of(region);
    std::string url = "https://" + std::string(service);
    if (options.fips) url += "-fips";
    url.append(".").append(region).append(".");
    url.append(options.dualstack ? partition.dualstack_suffix : partition.suffix);
    return url;
}

}  // namespace nodeagent::net
