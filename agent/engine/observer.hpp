#pragma once
// Looks at containers, one inspect at a time per container: answers then come in the order of the questions, and those
// who ask while a look is under way share the next one.

#include <map>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/base/scope.hpp"
#include "agent/engine/one_shot.hpp"
#include "runtime/backend.hpp"

namespace nodeagent::engine {

class Observer {
  public:
    Observer(asio::any_io_executor shard, runtime::Backend& backend);

    /// What the container is at some moment after this call began.
    asio::awaitable<Result<runtime::ContainerView>> look(std::string id);

    /// Before the end; what waits then gets operation_aborted with its own scope.
    void cancel() { looks_.cancel(); }
    asio::awaitable<void> drain() { return looks_.drain(); }

  private:
    using Answer = OneShot<Result<runtime::ContainerView>>;
    struct Looks {
        bool under_way = false;
        std::shared_ptr<Answer> next;  ///< of the look that has not begun; nullptr: nobody asked
    };
    asio::awaitable<void> serve(std::string id);

    asio::any_io_executor shard_;
    runtime::Backend& backend_;
    std::map<std::string, Looks> by_id_;
    Scope looks_;
};

}  // namespace nodeagent::engine
