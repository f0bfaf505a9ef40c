#pragma once
// Attachments that ACS announced and that have not been reported ATTACHED yet, each with its deadline. Pure: time is an
// argument. A network interface is known by its MAC address, an EBS volume by its volume id
// (control-plane.md 6.7, 6.8).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/clock.hpp"
#include "agent/base/error.hpp"
#include "agent/model/acs_messages.hpp"

namespace nodeagent::ecs {

struct Attachment {
    enum class Kind : std::uint8_t { TaskInterface, InstanceInterface, Volume };
    Kind kind = Kind::TaskInterface;
    std::string key{};  ///< MAC address in lower case, or volume id
    std::string attachment_arn{};
    std::string task_arn{};  ///< empty for instance interfaces
    WallTime expires_at{};
    bool sent = false;                                ///< ATTACHED was submitted and acknowledged
    std::map<std::string, std::string> properties{};  ///< volumes: deviceName, volumeName, ...
    friend bool operator==(const Attachment&, const Attachment&) = default;
};

class AttachmentBook {
  public:
    /// True: new, to be saved. A known key keeps its record; its timer is started again if it is not running.
    bool add(const Attachment& attachment, const Instant& now);
    /// From the state store; one that has expired meanwhile is among the next expire()'s.
    void restore(Attachment attachment, const Instant& now);
    void mark_sent(const std::string& key);
    /// Removes and returns the keys whose deadline passed unsent. A sent record stays, without a timer.
    std::vector<std::string> expire(SteadyTime now);
    [[nodiscard]] std::optional<SteadyTime> next_expiry() const;
    [[nodiscard]] const Attachment* find(const std::string& key) const;
    [[nodiscard]] std::vector<Attachment> all() const;

  private:
    struct Entry {
        Attachment attachment;
        std::optional<SteadyTime> deadline;
    };
    std::map<std::string, Entry> entries_;
};

/// Malformed with the member's name when the interface breaks a rule of 6.7.
[[nodiscard]] Result<void> check_interface(const model::ElasticNetworkInterface& eni);
/// Malformed when the message breaks a rule of 6.8.
[[nodiscard]] Result<void> check_confirm_attachment(const model::ConfirmAttachmentMessage& message);

}  // namespace nodeagent::ecs
