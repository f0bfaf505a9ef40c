#include "runtime/docker/default_bridge.hpp"

#include <memory>
#include <utility>

#include <boost/asio/ssl/context.hpp>

#include "agent/base/strings.hpp"
#include "runtime/docker/api_client.hpp"
#include "runtime/docker/mapping.hpp"
#include "runtime/docker/tls.hpp"

namespace nodeagent::runtime::docker {

namespace {

std::string option_of_network(const Json& options, const char* name) {
    const auto found = options.find(name);
    return found != options.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string default_bridge_of(const Json& networks) {
    if (!networks.is_array()) return {};
    for (const Json& network : networks) {
        if (!network.is_object()) continue;
        const auto options = network.find("Options");
        if (options == network.end() || !options->is_object()) continue;
        if (option_of_network(*options, "com.docker.network.bridge.default_bridge") != "true") continue;
        return option_of_network(*options, "com.docker.network.bridge.name");
    }
    return {};
}

asio::awaitable<Result<std::string>> ask_default_bridge(asio::any_io_executor executor, Options options,
                                                        std::chrono::nanoseconds timeout) {
    Result<Endpoint> endpoint = parse_endpoint(options.host, options.tls);
    if (!endpoint) co_return std::move(endpoint).error();
    auto tls = make_tls_context(options);
    if (!tls) co_return std::move(tls).error();
    const auto client = std::make_unique<ApiClient>(std::move(executor), *std::move(endpoint), *std::move(tls));
    // the address is the oldest there is; without a version the daemon takes its own
    ApiRequest request{.target = "/networks?filters=" + percent_encode(R"({"driver":{"bridge":true}})"),
                       .timeout = timeout};
    Result<ApiResponse> response = co_await client->call(std::move(request));
    if (!response) co_return std::move(response).error();
    if (response->status != 200) co_return daemon_error(response->status, response->body);
    Result<Json> networks = parse_json(response->body);
    if (!networks) co_return with_context("read the networks of Docker", std::move(networks).error());
    co_return default_bridge_of(*networks);
}

}  // namespace nodeagent::runtime::docker
