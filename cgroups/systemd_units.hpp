#pragma once
// The two things we ask of systemd, over D-Bus. libsystemd is loaded when the first call needs it, so hosts that do not
// use it neither need nor map it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::cgroups {

/// A slice with accounting of CPU, memory and IO; `numbers` are further properties of type uint64 ("MemoryMax").
struct SliceProperties {
    std::string description{};
    std::vector<std::pair<std::string, std::uint64_t>> numbers{};
    bool tasks_accounting = false;
};

/// Blocking; safe to call from several threads.
class SystemdUnits {
  public:
    virtual ~SystemdUnits() = default;
    /// Returns when systemd's job is done. A unit of that name that exists already is fine and keeps its properties.
    virtual Result<void> start_slice(const std::string& name, const SliceProperties& properties) = 0;
    /// Returns when the unit is down. An unknown one is fine.
    virtual Result<void> stop_unit(const std::string& name) = 0;
};

/// `address`: a D-Bus address that systemd's manager answers on, or empty for the system bus.
[[nodiscard]] std::unique_ptr<SystemdUnits> make_systemd_units(std::string address, std::chrono::seconds job_timeout);

}  // namespace nodeagent::cgroups
