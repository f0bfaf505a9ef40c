#pragma once
// What the control plane says to one agent over ACS (control-plane.md 6), without sockets: frames in, frames out, time
// as an argument. Level-triggered: every wake compares the records with what the agent acknowledged and sends the
// difference, so a lost frame, a restart of either side and a new task are the same case.
//
//   opened -> credentials (sendCredentials) -> payloads until acked -> manifest ... heartbeat every 30 s -> closed

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/base/json.hpp"
#include "agent/local/credential_issuer.hpp"
#include "agent/local/state.hpp"

namespace nodeagent::local {

struct AcsTimes {
    std::chrono::milliseconds heartbeat{30'000};
    std::chrono::milliseconds resend{5'000};           ///< an unacknowledged payload or credentials message goes again
    std::chrono::milliseconds manifest_settle{1'000};  ///< after the last change of the task set
    std::chrono::seconds refresh_before{3600};         ///< credentials are renewed this long before they end
};

class AcsConversation {
  public:
    struct Hello {
        std::string instance_arn;
        bool send_credentials = false;
        int protocol_version = 2;
    };
    /// All references must outlive it. The instance exists.
    AcsConversation(State& state, CredentialIssuer& issuer, AcsTimes times, Hello hello);

    void opened(Instant now);
    void received(std::string_view frame, Instant now);
    /// Something changed, or it is `due()`.
    void tick(Instant now);
    /// The frames to send, in order; the caller sends them all.
    [[nodiscard]] std::vector<std::string> take_frames();
    /// When to tick next without any other cause.
    [[nodiscard]] SteadyTime due() const { return due_; }
    /// Set when the connection should end; the text goes into the close frame.
    [[nodiscard]] const std::optional<std::string>& closing() const { return closing_; }

  private:
    struct Delivery {
        std::string task_arn;
        std::string desired_status;
        std::int64_t sequence = 0;
        SteadyTime sent{};
    };
    struct CredentialsOffer {
        std::string task_arn;
        bool execution = false;
        int attempts = 0;
        SteadyTime sent{};
    };

    void deliver_tasks(Instant now);
    void refresh_credentials(Instant now);
    void send_manifest_if_changed(Instant now);
    void beat(Instant now);
    void send_payload(const std::string& message_id, Delivery& delivery, Instant now);
    void send_credentials(const std::string& message_id, CredentialsOffer& offer, Instant now);
    void offer_credentials(const Task& task, bool execution, Instant now);
    void send(std::string_view type, OrderedJson message);
    [[nodiscard]] OrderedJson addressed(const ContainerInstance& instance, const std::string& message_id,
                                        Instant now) const;
    [[nodiscard]] const IssuedCredentials* credentials_for(const Task& task, bool execution, Instant now);
    [[nodiscard]] std::int64_t next_sequence(ContainerInstance& instance);
    void on_ack(const std::string& message_id, Instant now);
    void on_stop_candidates(const Json& message, Instant now);

    State& state_;
    CredentialIssuer& issuer_;
    AcsTimes times_;
    Hello hello_;
    std::map<std::string, Delivery> deliveries_;      ///< unacknowledged payloads by message id
    std::map<std::string, CredentialsOffer> offers_;  ///< unacknowledged IAMRoleCredentialsMessages by message id
    std::string manifest_sent_;                       ///< the task list of the last manifest, as text
    std::string manifest_seen_;
    SteadyTime manifest_changed_{};
    SteadyTime next_heartbeat_{};
    int unanswered_heartbeats_ = 0;
    SteadyTime due_{};
    std::vector<std::string> frames_;
    std::optional<std::string> closing_;
};

}  // namespace nodeagent::local
