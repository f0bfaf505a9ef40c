#pragma once
// A backend together with the host behind it, as tests use them: the contract suite and tests of one runtime alone.

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "runtime/backend.hpp"

namespace nodeagent::runtime {

inline constexpr std::chrono::seconds kPatience{120};  ///< a real runtime on a busy machine

/// A backend and what a test may do to the host behind it.
class BackendWorld {
  public:
    /// What the container's process does.
    enum class Program : std::uint8_t { RunsUntilStopped, ExitsWithSeven };

    virtual ~BackendWorld() = default;
    virtual Backend& backend() = 0;
    /// An image that is on the host.
    [[nodiscard]] virtual std::string image() const = 0;
    /// A name nobody else uses; everything that begins with it is removed in the end.
    [[nodiscard]] virtual std::string prefix() const = 0;
    virtual ContainerSpec spec(const std::string& name, Program program) = 0;
    /// The daemon cannot be reached any more, streams break; and it can again.
    virtual void go_away() = 0;
    virtual void come_back() = 0;

    [[nodiscard]] std::string name(const std::string& word) const { return prefix() + word; }
    [[nodiscard]] std::string label() const { return "nodeagent.test." + prefix(); }

    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> result;
        std::exception_ptr thrown;
        asio::co_spawn(io, std::move(work), [&](std::exception_ptr error, T value) {
            thrown = error;
            result.emplace(std::move(value));
        });
        run_until([&result] { return result.has_value(); });
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*result);
    }
    void run_until(const std::function<bool()>& reached) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        io.restart();
        while (!reached()) {
            if (io.run_one_until(deadline) == 0) throw std::runtime_error("waited in vain");
        }
    }

    asio::io_context io;
};

/// The event stream of a test, on the side.
class Watching {
  public:
    explicit Watching(BackendWorld& world) : world_(world) {
        auto stream = world.backend().watch([this] { connected = true; },
                                            [this](RuntimeEvent event) { events.push_back(std::move(event)); });
        asio::co_spawn(world.io, std::move(stream),
                       asio::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr, Error error) {
                           ended = std::move(error);
                           over_ = true;
                       }));
        world.run_until([this] { return connected || over_; });
    }
    ~Watching() {
        if (!over_) cancel_.emit(asio::cancellation_type::terminal);
        while (!over_ && world_.io.run_one_for(kPatience) > 0) {
        }
    }
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

    [[nodiscard]] std::vector<RuntimeEvent::Kind> kinds_of(const std::string& id) const {
        std::vector<RuntimeEvent::Kind> kinds;
        for (const RuntimeEvent& event : events) {
            if (event.container_id == id) kinds.push_back(event.kind);
        }
        return kinds;
    }
    void wait_for(const std::string& id, RuntimeEvent::Kind kind) {
        world_.run_until([&] {
            const auto kinds = kinds_of(id);
            return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
        });
    }

    bool connected = false;
    std::vector<RuntimeEvent> events;
    std::optional<Error> ended;

  private:
    BackendWorld& world_;
    asio::cancellation_signal cancel_;
    bool over_ = false;
};

}  // namespace nodeagent::runtime
