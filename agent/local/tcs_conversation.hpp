#pragma once
// What the control plane does with an agent's telemetry (control-plane.md 8): checks each frame's signature, keeps the
// last of each kind, counts what tasks use, acknowledges. Without sockets: frames in, frames out.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/base/json.hpp"
#include "agent/local/cluster_usage.hpp"
#include "agent/local/publish_round.hpp"
#include "agent/local/signature_check.hpp"
#include "agent/local/state.hpp"

namespace nodeagent::local {

/// The last telemetry of each container instance; not kept over a restart.
struct Telemetry {
    struct Latest {
        Json metrics;  ///< the last whole round that was not idle, as one PublishMetricsRequest
        Json health;
        Json instance_status;
        std::int64_t messages = 0;
        double received_at = 0;
        PublishRound round;  ///< here, as it may go on over the agent's next connection
    };
    std::map<std::string, Latest, std::less<>> by_instance;

    /// Forgets instances that `state` does not know any more.
    void forget_others(State& state);
};

class TcsConversation {
  public:
    struct Hello {
        std::string instance_arn;
        std::string target;  ///< path and query of the handshake: frames are signed over them
    };
    /// Without `secrets` signatures are not checked.
    TcsConversation(State& state, Telemetry& telemetry, ClusterUsage& usage, std::optional<SecretLookup> secrets,
                    std::chrono::milliseconds heartbeat, Hello hello);

    void opened(Instant now);
    void received(std::string_view frame, Instant now);
    void tick(Instant now);
    [[nodiscard]] std::vector<std::string> take_frames();
    [[nodiscard]] SteadyTime due() const { return next_heartbeat_; }
    [[nodiscard]] const std::optional<std::string>& closing() const { return closing_; }

  private:
    void send(std::string_view type, OrderedJson message);
    void count(Telemetry::Latest& latest, Json request, std::size_t size, Instant now);
    [[nodiscard]] std::optional<std::string> refuse(std::string_view head, std::string_view body, Instant now) const;

    State& state_;
    Telemetry& telemetry_;
    ClusterUsage& usage_;
    std::optional<SecretLookup> secrets_;
    std::chrono::milliseconds heartbeat_;
    Hello hello_;
    SteadyTime next_heartbeat_{};
    std::vector<std::string> frames_;
    std::optional<std::string> closing_;
};

}  // namespace nodeagent::local
