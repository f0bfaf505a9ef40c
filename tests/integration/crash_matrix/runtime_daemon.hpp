#pragma once
// The container runtime of a lane: a daemon of its own, which cells kill, and what there is of a cell's task in it and
// on its host. In the lane's namespaces.

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/crash_matrix/fault.hpp"

namespace nodeagent::crash_matrix {

class RuntimeDaemon {
  public:
    virtual ~RuntimeDaemon() = default;  ///< stops it

    /// Settings that lead an agent to it.
    [[nodiscard]] virtual std::vector<std::string> environment() const = 0;
    /// An image with busybox in it, to the registry of its name.
    virtual void push_image(const std::string& image) = 0;

    /// SIGKILL; returns when it is gone.
    virtual void kill() = 0;
    /// Returns when it answers.
    virtual void start() = 0;

    /// A new cell begins; `agent_data` is the data directory of its agents, which may be killed.
    virtual void begin_cell(const std::string& agent_data, bool agent_is_killed) = 0;
    /// To be called before kill() too: a daemon may forget what it did.
    virtual void note_creations() = 0;
    /// "" when in this cell one container was created for each of these names of a task definition, and no other.
    virtual std::string wrong_creations(const std::vector<std::string>& names) = 0;
    /// Where the volume is on the host whose name has this in it; "" when there is none.
    virtual std::string volume_folder(const std::string& part_of_name) = 0;
    /// What of tasks is still there; "" when nothing is. Throws when the daemon cannot be asked.
    virtual std::string left() = 0;
    /// Removes all of it, so that a cell that failed does not fail the next one.
    virtual void clear_away() = 0;
};

/// `directory` exists; files, state and sockets are in it.
std::unique_ptr<RuntimeDaemon> make_docker_daemon(std::string directory);
std::unique_ptr<RuntimeDaemon> make_containerd_daemon(std::string directory);

}  // namespace nodeagent::crash_matrix
