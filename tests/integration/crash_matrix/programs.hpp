#pragma once
// Programs that a lane starts.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace nodeagent::crash_matrix {

/// How long a daemon may take until it answers.
inline constexpr std::chrono::seconds kDaemonLimit{60};

/// Runs a program with its output going to `log`; its process id.
pid_t launch(const std::vector<std::string>& arguments, const std::string& log);
/// Runs a shell line and waits; throws with its last output when it fails.
void shell(const std::string& line, const std::string& log);
/// Returns once `answers`; throws with the end of its log when the program has ended, or does not answer in time.
void await_daemon(pid_t& daemon, const std::string& name, const std::string& log, const std::function<bool()>& answers);
/// Sends the signal and waits for the end; nothing for -1, which it leaves behind.
void end_program(pid_t& program, int signal);

}  // namespace nodeagent::crash_matrix
