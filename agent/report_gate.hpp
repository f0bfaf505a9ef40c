#pragma once
// Where the engine's reports go: to the state reporter, which is there before the engine is.

#include <utility>

#include "agent/ecs/state_reporter.hpp"
#include "agent/engine/state_sink.hpp"

namespace nodeagent {

class ReportGate final : public engine::StateSink {
  public:
    explicit ReportGate(ecs::StateReporter& reporter) : reporter_(reporter) {}
    void submit(model::ContainerStateChange change) override { reporter_.submit(std::move(change)); }
    void submit(model::TaskStateChange change) override { reporter_.submit(std::move(change)); }

  private:
    ecs::StateReporter& reporter_;
};

}  // namespace nodeagent
