#pragma once
// Runs iptables-save and iptables-restore. One call at a time in this process: two at once only make each other try
// again.

#include <mutex>
#include <string>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

class PacketFilter {
  public:
    /// What iptables-save prints: all tables.
    Result<std::string> saved();
    /// Gives that to iptables-restore --noflush: all of it is done, or nothing. "" does nothing.
    Result<void> change(const std::string& commands);
    /// Makes a chain of table filter that may be there already, without touching its rules.
    Result<void> make_chain(const std::string& name);

  private:
    std::mutex mutex_;
};

}  // namespace nodeagent::runtime::containerd
