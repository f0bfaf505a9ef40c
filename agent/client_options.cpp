#include "agent/client_options.hpp"

#include "agent/base/blocking_pool.hpp"
#include "agent/credentials/instance_facts.hpp"

namespace nodeagent {

std::function<std::optional<std::string>(const char*)> lookup_in(const config::Environment& environment) {
    return [&environment](const char* name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
}

net::CurlOptions curl_options(const config::Environment& environment, bool insecure, const std::string& docker_host) {
    net::CurlOptions options;
    options.ca_file = config::value_of(environment, "AWS_CA_BUNDLE");
    if (options.ca_file.empty()) options.ca_file = config::value_of(environment, "SSL_CERT_FILE");
    options.ca_dir = config::value_of(environment, "SSL_CERT_DIR");
    options.insecure = insecure;
    options.proxy = net::proxy_from_environment(lookup_in(environment), docker_host);
    return options;
}

runtime::docker::Options docker_options(const config::Environment& environment, const config::Config& config) {
    runtime::docker::Options options;
    options.host = config.docker_host;
    options.cert_path = config::value_of(environment, "DOCKER_CERT_PATH");
    options.tls_verify = !config::value_of(environment, "DOCKER_TLS_VERIFY").empty();
    options.tls = options.tls_verify || !options.cert_path.empty();
    return options;
}

config::Examination examine_configuration(const config::CommandLine& flags, const config::Environment& environment) {
    SystemClock clock;
    BlockingPool pool(1);
    const config::Config defaults;
    net::CurlHttpClient http(pool, curl_options(environment, flags.insecure_tls, defaults.docker_host));
    credentials::InstanceFacts instance(http, clock, credentials::imds_options(environment, flags.blackhole_imds));
    config::Surroundings surroundings;
    surroundings.instance = &instance;
    surroundings.blackhole_imds = flags.blackhole_imds;
    config::Examination examination = config::examine(environment, surroundings);
    config::apply(flags, examination.loaded);
    return examination;
}

}  // namespace nodeagent
