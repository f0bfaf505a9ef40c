#pragma once
// Two processes that keep each other alive. The reader takes lines out of the container's pipes, the sender gives them
// to the service; both hold the pipes. Whoever finds the other gone makes a new one: a parent by SIGCHLD, a child by
// the signal it gets when its parent dies. Only a kill of both at one moment ends the pair.

#include <functional>

#include "agent/base/error.hpp"
#include "agent/base/fd.hpp"
#include "runtime/logs/shared.hpp"
#include "runtime/logs/waiting.hpp"

namespace nodeagent::runtime::logs {

enum class Role : unsigned char { Reader, Sender };

class Pair final : public Waiter {
  public:
    /// What each of them does; its value is the process's exit status.
    struct Work {
        std::function<int(Pair&)> reader;
        std::function<int(Pair&)> sender;
    };

    static Result<void> prepare_signals();
    explicit Pair(SharedState& state, Work work);

    /// The calling process becomes the reader and makes the sender. Returns when the reader's work ends.
    int run();

    bool wait(int fd, short events, Monotonic until) override;
    [[nodiscard]] bool over() const override;
    /// The same for several descriptors; -1 ones are left out. True if one has something.
    bool wait_any(struct pollfd* fds, unsigned long count, Monotonic until);
    /// SIGTERM has come. True once.
    bool told_to_stop();
    /// The sender gives up then; of several calls the earliest end counts.
    void end_in(std::chrono::nanoseconds grace);
    [[nodiscard]] bool partner_lives() const { return partner_ > 0; }

    /// Rings when the partner calls wake().
    [[nodiscard]] int bell() const;
    void quiet() const;
    void wake_partner() const;

    /// What the other role must not keep: called in a child that begins its work.
    std::function<void()> forget;

  private:
    void attend();
    void spawn();

    SharedState& state_;
    Work work_;
    Role role_ = Role::Reader;
    Fd reader_bell_;
    Fd sender_bell_;
    int partner_ = -1;
    bool partner_is_parent_ = false;
    Monotonic spawned_{};
    bool stop_seen_ = false;
};

}  // namespace nodeagent::runtime::logs
