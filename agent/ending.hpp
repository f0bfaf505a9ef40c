#pragma once
// Why the process ends, and with which exit code (control-plane.md 10).

#include <string>

#include <boost/system/result.hpp>

namespace nodeagent {

inline constexpr int kExitOk = 0;           ///< after a signal
inline constexpr int kExitRecoverable = 1;  ///< what a restart may cure
inline constexpr int kExitTerminal = 5;     ///< what it cannot

struct Ending {
    int exit_code = kExitOk;
    std::string why;  ///< for the log: cause and remedy, or the signal's name
};

/// A part of the start: what it brings, or the end of the agent. As Result: `if (!r)` first.
template <class T>
using OrEnding = boost::system::result<T, Ending>;

}  // namespace nodeagent
