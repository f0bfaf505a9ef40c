#pragma once
// Owns coroutines: spawns them, counts them, cancels and drains them. Nothing in the agent is co_spawned outside a
// Scope. Lives on one shard. Everything a coroutine refers to must outlive the Scope that runs it.

#include <cstddef>
#include <functional>
#include <list>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

namespace nodeagent {

namespace asio = boost::asio;

class Scope {
  public:
    explicit Scope(asio::any_io_executor shard);
    ~Scope();  ///< every coroutine must have ended, or the shard's loop must never run again
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    /// Starts `work`. An exception that leaves it other than operation_aborted is a bug and ends the process.
    void spawn(asio::awaitable<void> work);
    /// Asks every coroutine to stop: their current wait throws operation_aborted.
    void cancel();
    /// True in a coroutine that was asked to stop and still runs because what it called made a value of the exception.
    /// What it met then is no failure worth a word to people.
    static asio::awaitable<bool> stopping();
    /// Returns when all coroutines have ended. Intake should be closed first.
    asio::awaitable<void> drain();
    [[nodiscard]] std::size_t size() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nodeagent
