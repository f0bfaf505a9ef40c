#pragma once
// Runs another program to its end: input, output, a time limit. Any thread; blocks.

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

struct ProgramRun {
    std::string path;                      ///< absolute
    std::vector<std::string> arguments;    ///< without the program's own name
    std::vector<std::string> environment;  ///< "NAME=value": all of it
    std::string input{};
    std::chrono::milliseconds timeout{30'000};  ///< then it and its children are killed
    std::size_t max_output = 1U << 20U;         ///< bytes; of more, it is killed
};

struct ProgramEnd {
    int status = 0;      ///< exit code, or 128 + the signal that ended it
    std::string output;  ///< standard output
    std::string errors;  ///< the first 4 KiB of standard error
};

/// Timeout, Malformed (too much output), NotFound (no such program), Internal. Any exit code is an end, not an error.
Result<ProgramEnd> run_program(const ProgramRun& run);

/// Where a program of the host is: looked for in the usual folders, sbin ones too. "" nowhere.
[[nodiscard]] std::string find_program(const std::string& name);

}  // namespace nodeagent::runtime::containerd
