#pragma once
// Waits for the ends of processes without holding a thread: each is told on the shard, once.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include "runtime/containerd/client.hpp"

namespace nodeagent::runtime::containerd {

namespace asio = boost::asio;

/// watch() may be called by any thread, the rest by the shard.
class Exits {
  public:
    /// Which process: a container, and "" or an exec of it.
    using Key = std::pair<std::string, std::string>;
    /// NotFound: the process is gone, and how it ended is not known any more. Unavailable: nothing is known.
    using Told = std::function<void(const Key& process, const Result<Exit>& exit)>;

    Exits(asio::any_io_executor shard, std::shared_ptr<Client> client, Told told);
    ~Exits() { close(); }
    Exits(const Exits&) = delete;
    Exits& operator=(const Exits&) = delete;

    /// Nothing is told any more; watch() does nothing from now on.
    void close();
    /// Once more for a process that is waited for already: nothing. An ended process is told at once.
    void watch(const std::string& container, const std::string& exec);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nodeagent::runtime::containerd
