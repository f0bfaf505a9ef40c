#pragma once
// Where the engine's state changes go. ecs::StateReporter is behind it; the two meet in app.cpp.

#include "agent/model/state_change.hpp"

namespace nodeagent::engine {

/// Called on the engine's shard; must not suspend or call back. Acknowledgements come to TaskEngine::acknowledged().
struct StateSink {
    virtual ~StateSink() = default;
    virtual void submit(model::ContainerStateChange change) = 0;
    virtual void submit(model::TaskStateChange change) = 0;
};

}  // namespace nodeagent::engine
