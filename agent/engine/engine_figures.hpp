#pragma once
// How long the engine's queues are and what it has done since it was made; plain values, for metrics.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace nodeagent::engine {

struct PullFigures {
    std::size_t queued = 0;  ///< behind the limit of parallel pulls
    std::size_t running = 0;
    std::uint64_t ended = 0;   ///< however; several containers that want one image at the same time share a pull
    std::uint64_t failed = 0;  ///< of those
    std::uint64_t bytes = 0;   ///< downloaded, as far as the runtime told
    std::chrono::nanoseconds taken{0};  ///< by those that ended, without the time in the queue
};

struct EngineFigures {
    std::size_t tasks_waiting = 0;  ///< for CPU, memory, ports or GPUs of the host
    PullFigures pulls;
    std::string runtime, runtime_version;  ///< "docker", "20.10.24"; "" before it has answered
    bool runtime_reachable = false;
    std::uint64_t runtime_outages = 0;
};

}  // namespace nodeagent::engine
