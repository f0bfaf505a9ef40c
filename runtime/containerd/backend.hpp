#pragma once
// containerd behind runtime::Backend, without a daemon of Docker's in between. Lives on the shard of the executor it
// was made with; what blocks runs on threads of its own.

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "runtime/backend.hpp"
#include "runtime/containerd/client.hpp"

namespace nodeagent::runtime::containerd {

struct Options;

class ClosableBackend : public Backend {
  public:
    /// Ends what goes on by itself: probes, waiting for ends. A backend is destroyed after this, or never used again by
    /// a loop that never runs again.
    virtual asio::awaitable<void> close() = 0;
};

/// `client` must not be used by another backend. Nothing is asked of the daemon yet.
[[nodiscard]] std::unique_ptr<ClosableBackend> make_backend(asio::any_io_executor shard, std::shared_ptr<Client> client,
                                                            Options options);

}  // namespace nodeagent::runtime::containerd
