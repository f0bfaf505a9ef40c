#pragma once
// One io_context and the one thread that runs it. Objects that live on a shard need no locks; between shards, post a
// value or publish a shared_ptr<const T>.

#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace nodeagent {

namespace asio = boost::asio;

class Shard {
  public:
    explicit Shard(std::string name);
    ~Shard();  ///< stops and joins
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    [[nodiscard]] asio::io_context& context() { return context_; }
    [[nodiscard]] asio::any_io_executor executor() { return context_.get_executor(); }

    /// Runs the loop on a thread of its own. Call once.
    void start();
    /// Runs the loop on the calling thread until stop(). For the process's main shard.
    void run();
    /// Ends the loop after the handler that is running; thread-safe.
    void stop();

    /// Ends the process with a message if called from another thread than the shard's (a bug, see error.hpp).
    void assert_here() const;

  private:
    std::string name_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::thread thread_;
    std::thread::id owner_;
};

}  // namespace nodeagent
