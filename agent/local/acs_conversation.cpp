#include "agent/local/acs_conversation.hpp"

#include <algorithm>

#include "agent/base/json.hpp"
#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/local/payload_builder.hpp"
#include "agent/local/task_lifecycle.hpp"

namespace nodeagent::local {
namespace {

constexpr int kMaxUnansweredHeartbeats = 3;
constexpr int kMaxOffers = 5;  // an agent that does not know the task never acknowledges its credentials
constexpr std::chrono::seconds kRefreshCheck{30};

struct TaskIdentifier {
    std::string task_arn;
    std::string task_cluster_arn;
    std::string desired_status;
    static constexpr auto json_fields() {
        using T = TaskIdentifier;
        return std::tuple{optional_field("taskArn", &T::task_arn),
                          optional_field("taskClusterArn", &T::task_cluster_arn),
                          optional_field("desiredStatus", &T::desired_status)};
    }
};

/// The union of what agents send: every member is optional on the wire.
struct AgentMessage {
    std::string message_id;
    std::string reason;
    std::vector<TaskIdentifier> stop_candidates;
    static constexpr auto json_fields() {
        using T = AgentMessage;
        return std::tuple{optional_field("messageId", &T::message_id), optional_field("reason", &T::reason),
                          optional_field("stopCandidates", &T::stop_candidates)};
    }
};

struct Envelope {
    std::string type;
    Json message;
    static constexpr auto json_fields() {
        return std::tuple{required_field("type", &Envelope::type), optional_field("message", &Envelope::message)};
    }
};

std::int64_t epoch_milliseconds(WallTime when) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
}

}  // namespace

AcsConversation::AcsConversation(State& state, CredentialIssuer& issuer, AcsTimes times, Hello hello)
    : state_(state), issuer_(issuer), times_(times), hello_(std::move(hello)) {
    times_.refresh_before = std::min(times_.refresh_before, issuer_.lifetime() / 2);
}

std::vector<std::string> AcsConversation::take_frames() { return std::exchange(frames_, {}); }

void AcsConversation::send(std::string_view type, OrderedJson message) {
    OrderedJson envelope;
    envelope["type"] = type;
    envelope["message"] = std::move(message);
    frames_.push_back(dump_json(envelope));
}

OrderedJson AcsConversation::addressed(const ContainerInstance& instance, const std::string& message_id,
                                       Instant now) const {
    OrderedJson message;
    message["messageId"] = message_id;
    message["clusterArn"] = make_arn(state_.identity(), "cluster/" + instance.cluster);
    message["containerInstanceArn"] = instance.arn;
    message["generatedAt"] = epoch_milliseconds(now.wall);
    return message;
}

std::int64_t AcsConversation::next_sequence(ContainerInstance& instance) {
    ++instance.sequence;
    state_.save(&instance);
    return instance.sequence;
}

void AcsConversation::opened(Instant now) {
    next_heartbeat_ = now.steady + times_.heartbeat;
    // a manifest follows every connect, also when the list of tasks is empty
    manifest_seen_ = manifest_sent_ = "-";
    manifest_changed_ = now.steady - times_.manifest_settle;
    if (hello_.send_credentials) {
        for (const Task* task : state_.live_tasks(hello_.instance_arn)) {
            // tasks not delivered yet get them with their payload
            if (task->delivered_status.empty()) continue;
            if (!task->task_role_arn.empty()) offer_credentials(*task, false, now);
            if (!task->execution_role_arn.empty()) offer_credentials(*task, true, now);
        }
    }
    tick(now);
}

void AcsConversation::tick(Instant now) {
    if (closing_) return;
    const ContainerInstance* instance = state_.instance(hello_.instance_arn);
    if (instance == nullptr || instance->status == "INACTIVE") {
        closing_ = "InactiveInstanceException: the container instance was deregistered";
        return;
    }
    due_ = now.steady + kRefreshCheck;
    deliver_tasks(now);
    refresh_credentials(now);
    send_manifest_if_changed(now);
    beat(now);
}

void AcsConversation::deliver_tasks(Instant now) {
    const std::vector<Task*> tasks = state_.live_tasks(hello_.instance_arn);
    // a delivery is over when its task stopped or something newer is wanted
    std::erase_if(deliveries_, [&](const auto& entry) {
        return std::none_of(tasks.begin(), tasks.end(), [&](const Task* task) {
            return task->arn == entry.second.task_arn && task->desired_status == entry.second.desired_status;
        });
    });
    for (const Task* task : tasks) {
        if (task->delivered_status == task->desired_status) continue;
        const bool on_its_way = std::any_of(deliveries_.begin(), deliveries_.end(),
                                            [&](const auto& entry) { return entry.second.task_arn == task->arn; });
        if (on_its_way) continue;
        Delivery delivery;
        delivery.task_arn = task->arn;
        delivery.desired_status = task->desired_status;
        delivery.sequence = next_sequence(*state_.instance(hello_.instance_arn));
        const std::string message_id = uuid4();
        send_payload(message_id, deliveries_[message_id] = std::move(delivery), now);
    }
    for (auto& [message_id, delivery] : deliveries_) {
        if (now.steady - delivery.sent >= times_.resend) send_payload(message_id, delivery, now);
        due_ = std::min(due_, delivery.sent + times_.resend);
    }
}

const IssuedCredentials* AcsConversation::credentials_for(const Task& task, bool execution, Instant now) {
    const std::string& role = execution ? task.execution_role_arn : task.task_role_arn;
    const std::string& id = execution ? task.execution_credentials_id : task.role_credentials_id;
    return role.empty() ? nullptr : &issuer_.current(id, role, now.wall, times_.refresh_before);
}

void AcsConversation::send_payload(const std::string& message_id, Delivery& delivery, Instant now) {
    const Task* task = state_.task(delivery.task_arn);
    const ContainerInstance* instance = state_.instance(hello_.instance_arn);
    const StoredTaskDefinition* stored = task == nullptr ? nullptr : state_.task_definition(task->definition_arn);
    if (task == nullptr || instance == nullptr || stored == nullptr) return;
    delivery.sent = now.steady;
    // one task a message: the agent acknowledges a payload only when every task in it is good
    const PayloadInput input{.task = *task,
                             .definition = stored->definition,
                             .region = state_.identity().region,
                             .role = credentials_for(*task, false, now),
                             .execution_role = credentials_for(*task, true, now)};
    OrderedJson message = addressed(*instance, message_id, now);
    message["seqNum"] = delivery.sequence;
    message["tasks"] = OrderedJson::array({build_payload_task(input)});
    send("PayloadMessage", std::move(message));
}

void AcsConversation::offer_credentials(const Task& task, bool execution, Instant now) {
    const std::string message_id = uuid4();
    CredentialsOffer& offer = offers_[message_id];
    offer.task_arn = task.arn;
    offer.execution = execution;
    send_credentials(message_id, offer, now);
}

void AcsConversation::send_credentials(const std::string& message_id, CredentialsOffer& offer, Instant now) {
    const Task* task = state_.task(offer.task_arn);
    if (task == nullptr) return;
    offer.sent = now.steady;
    ++offer.attempts;
    const std::string& id = offer.execution ? task->execution_credentials_id : task->role_credentials_id;
    OrderedJson message;
    message["messageId"] = message_id;
    message["taskArn"] = task->arn;
    message["taskClusterArn"] = task->cluster_arn;
    message["roleType"] = offer.execution ? "TaskExecution" : "TaskApplication";
    message["roleCredentials"] = role_credentials_json(id, *credentials_for(*task, offer.execution, now));
    send("IAMRoleCredentialsMessage", std::move(message));
}

void AcsConversation::refresh_credentials(Instant now) {
    for (const Task* task : state_.live_tasks(hello_.instance_arn)) {
        if (task->delivered_status.empty()) continue;
        for (const bool execution : {false, true}) {
            const std::string& role = execution ? task->execution_role_arn : task->task_role_arn;
            if (role.empty()) continue;
            const auto expiry = issuer_.expiry(execution ? task->execution_credentials_id : task->role_credentials_id);
            // none in this process: ecs-local was restarted, and what it gave out before may end unseen
            if (expiry && *expiry - now.wall > times_.refresh_before) continue;
            offer_credentials(*task, execution, now);
        }
    }
    std::erase_if(offers_, [&](const auto& entry) {
        const Task* task = state_.task(entry.second.task_arn);
        return task == nullptr || task->stopped() || entry.second.attempts >= kMaxOffers;
    });
    for (auto& [message_id, offer] : offers_) {
        if (now.steady - offer.sent >= times_.resend) send_credentials(message_id, offer, now);
        due_ = std::min(due_, offer.sent + times_.resend);
    }
}

void AcsConversation::send_manifest_if_changed(Instant now) {
    OrderedJson tasks = OrderedJson::array();
    for (const Task* task : state_.live_tasks(hello_.instance_arn)) {
        const TaskIdentifier identifier{
            .task_arn = task->arn, .task_cluster_arn = task->cluster_arn, .desired_status = task->desired_status};
        tasks.push_back(to_json_document(identifier));
    }
    const std::string current = dump_json(tasks);
    if (current != manifest_seen_) {
        if (manifest_seen_ != "-") manifest_changed_ = now.steady;
        manifest_seen_ = current;
    }
    if (current == manifest_sent_) return;
    if (now.steady - manifest_changed_ < times_.manifest_settle) {
        due_ = std::min(due_, manifest_changed_ + times_.manifest_settle);
        return;
    }
    manifest_sent_ = current;
    ContainerInstance& instance = *state_.instance(hello_.instance_arn);
    OrderedJson message = addressed(instance, uuid4(), now);
    // the agent drops a manifest that is not newer than every payload it got
    message["timeline"] = next_sequence(instance);
    message["tasks"] = std::move(tasks);
    send("TaskManifestMessage", std::move(message));
}

void AcsConversation::beat(Instant now) {
    if (now.steady >= next_heartbeat_) {
        if (unanswered_heartbeats_ >= kMaxUnansweredHeartbeats && hello_.protocol_version >= 2) {
            closing_ = "heartbeats are not acknowledged";
            return;
        }
        ++unanswered_heartbeats_;
        next_heartbeat_ = now.steady + times_.heartbeat;
        OrderedJson message;
        message["messageId"] = uuid4();
        message["healthy"] = true;
        send("HeartbeatMessage", std::move(message));
    }
    due_ = std::min(due_, next_heartbeat_);
}

void AcsConversation::received(std::string_view frame, Instant now) {
    auto envelope = decode<Envelope>(frame);
    if (!envelope) {
        log::warn("an ACS frame does not decode",
                  {{"instance", hello_.instance_arn}, {"error", envelope.error().what}});
        return;
    }
    const auto message =
        decode_document<AgentMessage>(envelope->message.is_null() ? Json::object() : envelope->message);
    if (!message) {
        log::warn("an ACS message does not decode",
                  {{"type", envelope->type}, {"instance", hello_.instance_arn}, {"error", message.error().what}});
        return;
    }
    log::debug("ACS message received", {{"type", envelope->type}, {"messageId", message->message_id}});
    if (envelope->type == "HeartbeatAckRequest") {
        unanswered_heartbeats_ = 0;
    } else if (envelope->type == "AckRequest") {
        on_ack(message->message_id, now);
    } else if (envelope->type == "IAMRoleCredentialsAckRequest") {
        offers_.erase(message->message_id);  // those of a payload carry the payload's id, which is not an offer
    } else if (envelope->type == "NackRequest") {
        log::warn("the agent refuses a message", {{"messageId", message->message_id}, {"reason", message->reason}});
    } else if (envelope->type == "TaskStopVerificationMessage") {
        on_stop_candidates(envelope->message, now);
    } else {
        log::warn("unknown ACS message type", {{"type", envelope->type}, {"instance", hello_.instance_arn}});
    }
}

void AcsConversation::on_ack(const std::string& message_id, Instant now) {
    const auto found = deliveries_.find(message_id);
    if (found == deliveries_.end()) return;  // of a manifest, or a payload sent twice
    if (Task* task = state_.task(found->second.task_arn)) {
        acknowledge_delivery(*task, found->second.desired_status);
        state_.save(task);
    }
    deliveries_.erase(found);
    tick(now);
}

void AcsConversation::on_stop_candidates(const Json& document, Instant now) {
    const auto message = decode_document<AgentMessage>(document);
    if (!message) return;
    OrderedJson confirmed = OrderedJson::array();
    for (const TaskIdentifier& candidate : message->stop_candidates) {
        const Task* task = state_.task(candidate.task_arn);
        // ours and wanted: the manifest was older than the task
        if (task != nullptr && task->instance_arn == hello_.instance_arn && task->desired_status == "RUNNING") continue;
        TaskIdentifier stop = candidate;
        stop.desired_status = "STOPPED";
        confirmed.push_back(to_json_document(stop));
    }
    OrderedJson answer;
    answer["messageId"] = message->message_id;
    answer["generatedAt"] = epoch_milliseconds(now.wall);
    answer["stopTasks"] = std::move(confirmed);
    send("TaskStopVerificationAck", std::move(answer));
}

}  // namespace nodeagent::local
