#pragma once
// What goes wrong at a point: the columns of the matrix.

#include <array>
#include <optional>
#include <string_view>

namespace nodeagent::crash_matrix {

enum class Runtime { Docker, Containerd };

[[nodiscard]] constexpr std::string_view word_of(Runtime runtime) {
    return runtime == Runtime::Docker ? "docker" : "containerd";
}

enum class Fault {
    None,        ///< the fault-free run, whose outcome every cell must have
    Kill,        ///< the agent: SIGKILL there, started again at once
    Daemon,      ///< dockerd (live-restore) or containerd: SIGKILL, started again
    Api500,      ///< the control plane answers 500 for a while
    Throttling,  ///< ThrottlingException for a while
    Silence,     ///< nothing for a while, then closed connections
    LostAnswer,  ///< the call has its effect, its answer is lost, for a while
    Websocket,   ///< the ACS connection is cut
    DiskFull,    ///< the data directory has no room for a while
    ClockBack,   ///< the agent's wall clock goes back by an hour
};

struct FaultName {
    Fault fault;
    std::string_view word;
};

inline constexpr std::array kFaults{
    FaultName{Fault::Kill, "kill"},
    FaultName{Fault::Daemon, "dockerd"},
    FaultName{Fault::Api500, "api-500"},
    FaultName{Fault::Throttling, "throttling"},
    FaultName{Fault::Silence, "silence"},
    FaultName{Fault::LostAnswer, "lost-answer"},
    FaultName{Fault::Websocket, "websocket"},
    FaultName{Fault::DiskFull, "disk-full"},
    FaultName{Fault::ClockBack, "clock-back"},
};

[[nodiscard]] constexpr std::string_view word_of(Fault fault, Runtime runtime) {
    if (fault == Fault::Daemon && runtime == Runtime::Containerd) return "containerd";
    for (const FaultName& one : kFaults) {
        if (one.fault == fault) return one.word;
    }
    return "none";
}

[[nodiscard]] constexpr std::optional<Fault> fault_of(std::string_view word, Runtime runtime) {
    for (const FaultName& one : kFaults) {
        if (word_of(one.fault, runtime) == word) return one.fault;
    }
    return std::nullopt;
}

/// A repetition of what ECS has acknowledged cannot be avoided when the acknowledgement is lost on the way to the disk.
[[nodiscard]] constexpr bool may_repeat(Fault fault) { return fault == Fault::Kill || fault == Fault::LostAnswer; }

}  // namespace nodeagent::crash_matrix
