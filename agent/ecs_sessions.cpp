#include "agent/ecs_sessions.hpp"

#include <utility>

#include "agent/aws_clients.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/version.hpp"
#include "agent/client_options.hpp"

namespace nodeagent {

namespace {

ecs::SessionIdentity identity_of(const EcsSessions::Parts& parts) {
    return {.cluster = parts.registered.cluster,
            .container_instance_arn = parts.registered.container_instance_arn,
            .region = parts.config.region,
            .agent_version = std::string(kAgentVersion),
            .agent_hash = std::string(kAgentHash),
            .runtime_version = parts.capabilities.version,
            .containerd = parts.capabilities.runtime == "containerd"};
}

net::WsDialer::Options dial_options(const EcsSessions::Parts& parts) {
    const auto tls = curl_options(parts.environment, parts.config.insecure_tls, parts.config.docker_host);
    return {.tls = {.ca_file = tls.ca_file, .ca_dir = tls.ca_dir, .insecure = tls.insecure},
            .proxy = tls.proxy,
            .deadlines = {}};
}

/// Of the manifest seen last; -1: this container instance is new and has seen none.
std::int64_t manifest_sequence(const engine::StoredState& stored) {
    const auto saved = parse_integer(stored.metadata_value(engine::kManifestSequenceKey));
    if (saved) return *saved;
    return stored.metadata_value(engine::kContainerInstanceArnKey).empty() ? -1 : 0;
}

}  // namespace

EcsSessions::EcsSessions(Parts parts)
    : parts_(std::move(parts)),
      poll_endpoints_(parts_.aws.api, parts_.clock, parts_.shard, parts_.registered.cluster),
      doctor_([this](std::chrono::nanoseconds deadline) { return parts_.backend.ping(deadline); }, parts_.clock),
      dialer_(dial_options(parts_)),
      telemetry_(parts_.shard,
                 ecs::TcsSession::Options{.identity = identity_of(parts_),
                                          .metrics_disabled = parts_.config.disable_metrics.enabled(),
                                          .health_disabled = parts_.config.disable_docker_health_check.enabled(),
                                          .source = parts_.statistics,
                                          .board = &parts_.snapshots,
                                          .doctor = &doctor_},
                 parts_.clock, dialer_, *parts_.aws.provider,
                 [this]() { return discover(&model::PollEndpoints::telemetry_endpoint); }),
      adapter_({.engine = parts_.engine,
                .store = parts_.store,
                .reports = parts_.reports,
                .registry = parts_.roles,
                .scope = parts_.scope,
                .on_heartbeat = [this] { parts_.scope.spawn(doctor_.check()); }}) {}

asio::awaitable<void> EcsSessions::open(engine::StoredState stored) {
    conversation_ =
        std::make_unique<ecs::AcsConversation>(adapter_, parts_.roles, parts_.clock, manifest_sequence(stored));
    co_await restore_attachments(std::move(stored));
    session_ = std::make_unique<ecs::AcsSession>(
        parts_.shard,
        ecs::AcsSession::Options{
            .identity = identity_of(parts_),
            .instance_inactive = [this] { telemetry_.disconnect("the container instance is inactive"); },
            .changed = parts_.changed},
        parts_.clock, dialer_, *parts_.aws.provider, [this]() { return discover(&model::PollEndpoints::endpoint); },
        *conversation_);
    parts_.scope.spawn(doctor_.check());
    parts_.scope.spawn(session_->run());
    parts_.scope.spawn(telemetry_.run());
}

asio::awaitable<void> EcsSessions::restore_attachments(engine::StoredState stored) {
    SavedAttachments found = saved_attachments(stored);
    for (const std::string& key : found.damaged) {
        log::error("a saved attachment cannot be read and was set aside", {{"attachment", key}});
        std::string record = key;
        (void)co_await parts_.store.set_aside(engine::Shelf::Metadata, std::move(record), "not an attachment");
    }
    for (ecs::Attachment& attachment : found.attachments)
        conversation_->attachments().restore(std::move(attachment), parts_.clock.now());
}

asio::awaitable<Result<std::string>> EcsSessions::discover(std::string model::PollEndpoints::*member) {
    auto endpoints = co_await poll_endpoints_.get(parts_.registered.container_instance_arn);
    if (!endpoints) co_return std::move(endpoints).error();
    std::string found = (*endpoints).*member;
    if (found.empty())
        co_return Error{.kind = ErrorKind::NotFound, .what = "DiscoverPollEndpoint named no endpoint of this kind"};
    co_return found;
}

}  // namespace nodeagent
