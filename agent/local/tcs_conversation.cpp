#include "agent/local/tcs_conversation.hpp"

#include <algorithm>
#include <utility>

#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/local/task_lifecycle.hpp"

namespace nodeagent::local {
namespace {

struct ContainerHealth {
    std::string name;
    std::string status;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("containerName", &ContainerHealth::name),
                          optional_field("healthStatus", &ContainerHealth::status)};
    }
};

struct TaskHealth {
    std::string task_arn;
    std::vector<ContainerHealth> containers;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("taskArn", &TaskHealth::task_arn),
                          optional_field("containers", &TaskHealth::containers)};
    }
};

/// The members of all three publish requests that the control plane reads.
struct Publish {
    Json metadata;
    std::vector<TaskHealth> tasks;
    Json statuses;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("metadata", &Publish::metadata), optional_field("tasks", &Publish::tasks),
                          optional_field("statuses", &Publish::statuses)};
    }
};

struct Envelope {
    std::string type;
    Json message;
    static constexpr auto json_fields() {
        return std::tuple{required_field("type", &Envelope::type), optional_field("message", &Envelope::message)};
    }
};

bool is_idle(const Json& metadata) {
    if (!metadata.is_object()) return false;
    const auto idle = metadata.find("idle");
    return idle != metadata.end() && idle->is_boolean() && idle->get<bool>();
}

/// When the agent made the request; the time it arrived if its clock must be wrong.
Minute minute_of(const Json& request, WallTime now) {
    const auto told = request.find("timestamp");
    const double arrived = epoch_seconds(now);
    double seconds = told != request.end() && told->is_number() ? told->get<double>() : arrived;
    const double open = std::chrono::duration<double>(ClusterUsage::kOpen).count();
    if (!(seconds >= arrived - open) || !(seconds <= arrived)) seconds = arrived;
    return std::chrono::floor<std::chrono::minutes>(
        WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000))));
}

}  // namespace

void Telemetry::forget_others(State& state) {
    std::erase_if(by_instance, [&](const auto& one) { return state.instance(one.first) == nullptr; });
}

TcsConversation::TcsConversation(State& state, Telemetry& telemetry, ClusterUsage& usage,
                                 std::optional<SecretLookup> secrets, std::chrono::milliseconds heartbeat, Hello hello)
    : state_(state),
      telemetry_(telemetry),
      usage_(usage),
      secrets_(std::move(secrets)),
      heartbeat_(heartbeat),
      hello_(std::move(hello)) {}

std::vector<std::string> TcsConversation::take_frames() { return std::exchange(frames_, {}); }

void TcsConversation::send(std::string_view type, OrderedJson message) {
    OrderedJson envelope;
    envelope["type"] = type;
    envelope["message"] = std::move(message);
    frames_.push_back(dump_json(envelope));
}

void TcsConversation::opened(Instant now) { next_heartbeat_ = now.steady + heartbeat_; }

void TcsConversation::tick(Instant now) {
    const ContainerInstance* instance = state_.instance(hello_.instance_arn);
    if (instance == nullptr || instance->status == "INACTIVE") {
        closing_ = "the container instance was deregistered";
        return;
    }
    if (now.steady < next_heartbeat_) return;
    next_heartbeat_ = now.steady + heartbeat_;
    OrderedJson message;
    message["healthy"] = true;
    send("HeartbeatMessage", std::move(message));
}

std::optional<std::string> TcsConversation::refuse(std::string_view head, std::string_view body, Instant now) const {
    if (!secrets_) return std::nullopt;
    SignedMessage message{.method = "GET", .target = hello_.target, .headers = {}, .body = body};
    for (std::string_view line : split(head, '\n')) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        message.headers.emplace_back(std::string(trimmed(line.substr(0, colon))),
                                     std::string(trimmed(line.substr(colon + 1))));
    }
    const auto wrong = check_signature(message, *secrets_, now.wall);
    if (!wrong) return std::nullopt;
    return wrong->code + ": " + wrong->message;
}

void TcsConversation::count(Telemetry::Latest& latest, Json request, std::size_t size, Instant now) {
    if (!request.is_object()) return;
    for (Json& round : latest.round.add(std::move(request), size)) {
        usage_.record(hello_.instance_arn, tasks_in(round), minute_of(round, now.wall));
        latest.metrics = std::move(round);
    }
}

void TcsConversation::received(std::string_view frame, Instant now) {
    constexpr std::string_view kBlank = "\r\n\r\n";
    std::string_view head;
    std::string_view body = frame;
    if (const auto blank = frame.find(kBlank); !frame.starts_with("{") && blank != std::string_view::npos) {
        head = frame.substr(0, blank);
        body = frame.substr(blank + kBlank.size());
    }
    if (auto refused = refuse(head, body, now)) {
        log::warn("a TCS frame is refused", {{"instance", hello_.instance_arn}, {"error", *refused}});
        closing_ = std::move(refused);
        return;
    }
    const auto envelope = decode<Envelope>(body);
    const auto message =
        envelope ? decode_document<Publish>(envelope->message.is_null() ? Json::object() : envelope->message)
                 : Result<Publish>(envelope.error());
    if (!message) {
        log::warn("a TCS frame does not decode", {{"instance", hello_.instance_arn}, {"error", message.error().what}});
        return;
    }
    Telemetry::Latest& latest = telemetry_.by_instance[hello_.instance_arn];
    ++latest.messages;
    latest.received_at = epoch_seconds(now.wall);
    OrderedJson ack;
    ack["message"] = "ok";
    if (envelope->type == "PublishMetricsRequest") {
        if (!is_idle(message->metadata)) count(latest, envelope->message, frame.size(), now);
        send("AckPublishMetric", std::move(ack));
    } else if (envelope->type == "PublishHealthRequest") {
        latest.health = envelope->message;
        for (const TaskHealth& health : message->tasks) {
            Task* task = state_.task(health.task_arn);
            if (task == nullptr || task->instance_arn != hello_.instance_arn) continue;
            bool changed = false;
            for (const ContainerHealth& container : health.containers) {
                changed = apply_health(*task, container.name, container.status) || changed;
            }
            if (changed) state_.save(task);
        }
        send("AckPublishHealth", std::move(ack));
    } else if (envelope->type == "PublishInstanceStatusRequest") {
        latest.instance_status = envelope->message;
        if (ContainerInstance* instance = state_.instance(hello_.instance_arn);
            instance != nullptr && message->statuses.is_array()) {
            instance->health = message->statuses;
            state_.save(instance);
        }
        send("AckPublishInstanceStatus", std::move(ack));
    } else {
        log::warn("unknown TCS message type", {{"type", envelope->type}, {"instance", hello_.instance_arn}});
    }
}

}  // namespace nodeagent::local
