#include "metadata/introspection.hpp"

#include "agent/base/resident.hpp"
#include "agent/model/snapshot.hpp"
#include "metadata/extensions.hpp"
#include "metadata/instance_identity.hpp"
#include "metadata/introspection_documents.hpp"
#include "metadata/router.hpp"

namespace nodeagent::metadata {

namespace {

using Work = std::optional<asio::awaitable<void>>;

// This server's redirects carry a body for the browsers of old.
Response with_link(Response redirect, const Request& request) {
    const std::string location = redirect.headers.front().second;
    if (request.method == "GET" || request.method == "HEAD") redirect.content_type = "text/html; charset=utf-8";
    if (request.method == "GET") {
        std::string shown;
        for (const char c : location) {
            switch (c) {
                case '&': shown += "&amp;"; break;
                case '<': shown += "&lt;"; break;
                case '>': shown += "&gt;"; break;
                case '"': shown += "&#34;"; break;
                case '\'': shown += "&#39;"; break;
                default: shown += c;
            }
        }
        redirect.body = "<a href=\"" + shown + "\">Moved Permanently</a>.\n\n";
    }
    return redirect;
}

}  // namespace

struct IntrospectionServer::Impl final : Handler {
    Impl(asio::any_io_executor shard, Clock& clock, IntrospectionSource from, IntrospectionOptions options)
        : source(std::move(from)),
          listener(std::move(shard), clock, *this, "introspection", std::move(options.listener)) {}

    Work handle(const Request& request, Response& answer) override {
        if (auto redirect = redirect_to_clean_path(request)) {
            answer = with_link(std::move(*redirect), request);
        } else if (request.path == "/v1/ext/status" && request.peer->loopback) {
            return status(answer);
        } else {
            answer = respond(request);
        }
        return std::nullopt;
    }

    asio::awaitable<void> status(Response& answer) const {
        std::optional<model::HostConditions> host;
        if (source.host) host = co_await source.host();
        const ProcessUse use{.resident_bytes = resident_bytes(), .open_descriptors = open_descriptors()};
        answer = extension_status(*source.snapshots.current(), *source.identity.current(),
                                  source.status ? source.status() : AgentStatus{}, use, host ? &*host : nullptr);
    }

    [[nodiscard]] Response respond(const Request& request) const {
        if (request.path == "/v1/metadata") return introspection_metadata(*source.identity.current());
        if (request.path == "/v1/tasks") return introspection_tasks(*source.snapshots.current(), request);
        if (request.path == "/license") return introspection_license(source.license_directory);
        if (request.path.starts_with("/v1/ext/") && request.peer->loopback) return extend(request);
        return introspection_commands();
    }

    [[nodiscard]] Response extend(const Request& request) const {
        const std::string_view what = request.path.substr(std::string_view("/v1/ext/").size());
        const auto snapshot = source.snapshots.current();
        if (what == "tasks") return extension_tasks(*snapshot);
        if (what == "task") return extension_task(*snapshot, request.parameter("id"));
        if (what == "events") return extension_events(source.events ? source.events() : std::vector<AgentEvent>{});
        if (what == "config")
            return extension_settings(source.settings ? source.settings() : std::vector<AgentSetting>{});
        return introspection_commands();
    }

    IntrospectionSource source;
    Listener listener;
};

IntrospectionServer::IntrospectionServer(asio::any_io_executor shard, Clock& clock, IntrospectionSource source,
                                         IntrospectionOptions options)
    : impl_(std::make_unique<Impl>(std::move(shard), clock, std::move(source), std::move(options))) {}
IntrospectionServer::~IntrospectionServer() = default;

void IntrospectionServer::start() { impl_->listener.start(); }
asio::awaitable<void> IntrospectionServer::stop() { return impl_->listener.stop(); }
std::uint16_t IntrospectionServer::port() const { return impl_->listener.port(); }

}  // namespace nodeagent::metadata
