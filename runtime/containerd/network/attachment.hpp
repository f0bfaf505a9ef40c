#pragma once
// What a container's network came to, and the record of it on disk: how detach() knows after a crash what there is.

#include <string>
#include <vector>

#include "agent/base/json.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

struct Attachment {
    std::string mode{};             ///< "bridge", "host", "none", "container:<id>"
    std::string netns_path{};       ///< "": the host's
    std::string ipv4{}, gateway{};  ///< without prefix length; only in mode bridge
    std::string mac{};
    std::vector<PortBinding> ports{};  ///< published; host_ip "0.0.0.0" where none was asked for
};

struct AttachmentRecord {
    std::string id;
    std::vector<PortBinding> ports{};
    Json network{};  ///< configuration list that the plugins got
    Json result{};   ///< their answer, prevResult of DEL; null: ADD did not end, or nobody knows
    bool operator==(const AttachmentRecord&) const = default;
};

/// From a CNI result (0.3.0 to 1.0.0): first IPv4 address, its gateway, MAC of the interface in the namespace.
[[nodiscard]] Attachment attachment_of(const Json& result);

/// One file for each id in a folder of its own. Not synced to disk: what it speaks of does not survive a reboot either.
class AttachmentStore {
  public:
    explicit AttachmentStore(std::string folder);
    Result<void> save(const AttachmentRecord& record);
    /// A record that cannot be read is one of which only the id is known. NotFound.
    Result<AttachmentRecord> load(const std::string& id) const;
    Result<void> remove(const std::string& id);
    [[nodiscard]] std::vector<std::string> ids() const;

  private:
    std::string folder_;
};

}  // namespace nodeagent::runtime::containerd
