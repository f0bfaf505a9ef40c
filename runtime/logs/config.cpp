#include "runtime/logs/config.hpp"

#include "agent/base/json.hpp"

namespace nodeagent::runtime::logs {

namespace {

// The wire names beside the members, without the codec in the header.
struct Document {
    std::string driver;
    Options options;
    std::string container_id, container_name, image_name, image_id;
    std::map<std::string, std::string> labels;
    std::string log_path, state_path;
    std::int64_t spool_bytes = 0;
    std::string region, credentials_uri, agent_socket, ca_file, proxy, no_proxy, user_agent;

    static constexpr auto json_fields() {
        using T = Document;
        return std::tuple{required_field("driver", &T::driver),
                          optional_field("options", &T::options),
                          optional_field("containerId", &T::container_id),
                          optional_field("containerName", &T::container_name),
                          optional_field("imageName", &T::image_name),
                          optional_field("imageId", &T::image_id),
                          optional_field("labels", &T::labels),
                          optional_field("logPath", &T::log_path),
                          optional_field("statePath", &T::state_path),
                          optional_field("spoolBytes", &T::spool_bytes),
                          optional_field("region", &T::region),
                          optional_field("credentialsUri", &T::credentials_uri),
                          optional_field("agentSocket", &T::agent_socket),
                          optional_field("caFile", &T::ca_file),
                          optional_field("proxy", &T::proxy),
                          optional_field("noProxy", &T::no_proxy),
                          optional_field("userAgent", &T::user_agent)};
    }
};

}  // namespace

std::string encode(const LogConfig& config) {
    return nodeagent::encode(Document{.driver = config.driver,
                                .options = config.options,
                                .container_id = config.container_id,
                                .container_name = config.container_name,
                                .image_name = config.image_name,
                                .image_id = config.image_id,
                                .labels = config.labels,
                                .log_path = config.log_path,
                                .state_path = config.state_path,
                                .spool_bytes = static_cast<std::int64_t>(config.spool_bytes),
                                .region = config.region,
                                .credentials_uri = config.credentials.uri,
                                .agent_socket = config.credentials.agent_socket,
                                .ca_file = config.ca_file,
                                .proxy = config.proxy,
                                .no_proxy = config.no_proxy,
                                .user_agent = config.user_agent});
}

Result<LogConfig> decode(const std::string& text) {
    auto document = nodeagent::decode<Document>(text);
    if (!document) return std::move(document).error();
    if (document->spool_bytes < 0) return Error{.kind = ErrorKind::Malformed, .what = "spoolBytes: below 0"};
    return LogConfig{.driver = std::move(document->driver),
                     .options = std::move(document->options),
                     .container_id = std::move(document->container_id),
                     .container_name = std::move(document->container_name),
                     .image_name = std::move(document->image_name),
                     .image_id = std::move(document->image_id),
                     .labels = std::move(document->labels),
                     .log_path = std::move(document->log_path),
                     .state_path = std::move(document->state_path),
                     .spool_bytes = static_cast<std::uint64_t>(document->spool_bytes),
                     .region = std::move(document->region),
                     .credentials = {.uri = std::move(document->credentials_uri),
                                     .agent_socket = std::move(document->agent_socket)},
                     .ca_file = std::move(document->ca_file),
                     .proxy = std::move(document->proxy),
                     .no_proxy = std::move(document->no_proxy),
                     .user_agent = std::move(document->user_agent)};
}

}  // namespace nodeagent::runtime::logs
