#pragma once
// One cell of the matrix: one task from its payload to the last trace of it, with one fault at one point.
//
//   server (essential): waits for SIGTERM and ends with 7; a dynamic host port; a task-scoped and an empty host volume
//   ender (essential):  starts after server, ends with 3 when a file appears in the shared volume, which stops server

#include <optional>
#include <string>
#include <vector>

#include "tests/integration/crash_matrix/fault.hpp"
#include "tests/integration/crash_matrix/history.hpp"
#include "tests/integration/crash_matrix/lane.hpp"

namespace nodeagent::crash_matrix {

struct CellResult {
    std::vector<std::string> problems;  ///< empty: passed
    double seconds = 0;
    History history;
    std::string agent_log;
    [[nodiscard]] bool passed() const { return problems.empty(); }
};

/// `point` as NODEAGENT_TEST_POINT takes it; "" with Fault::None. `expected`: what the fault-free run told; nullptr for
/// that run itself. `number` is unique in the whole matrix.
[[nodiscard]] CellResult run_cell(Lane& lane, const std::string& point, Fault fault, const History* expected,
                                  int number);

}  // namespace nodeagent::crash_matrix
