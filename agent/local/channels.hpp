#pragma once
// The websocket channels that are open, by container instance, so that API calls can nudge or end them. Lives on the
// server's shard.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nodeagent::local {

class Channel {
  public:
    virtual ~Channel() = default;
    /// Something the conversation is about has changed.
    virtual void wake() = 0;
    /// Ends the connection soon; the peer sees a close frame with this reason.
    virtual void end(std::string_view reason) = 0;
};

enum class ChannelKind : unsigned char { Acs, Tcs };

class Channels {
  public:
    /// A second channel of a kind for an instance ends the first: the agent has reconnected.
    void add(ChannelKind kind, const std::string& instance_arn, Channel& channel);
    void remove(ChannelKind kind, const std::string& instance_arn, const Channel& channel);
    [[nodiscard]] bool connected(std::string_view instance_arn) const;
    void wake(std::string_view instance_arn);
    void end(std::string_view instance_arn, std::string_view reason);
    [[nodiscard]] std::size_t size() const { return acs_.size() + tcs_.size(); }

  private:
    using Map = std::map<std::string, Channel*, std::less<>>;
    Map& of(ChannelKind kind) { return kind == ChannelKind::Acs ? acs_ : tcs_; }
    Map acs_;
    Map tcs_;
};

}  // namespace nodeagent::local
