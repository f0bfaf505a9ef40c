#pragma once
// What the control plane was told of a task, in a form two runs can be compared in: ids, times and port numbers, which
// differ from run to run, are replaced by whether they are there; the batches in which changes came are dissolved.

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nodeagent::crash_matrix {

struct History {
    std::vector<std::string> task;                               ///< the task's own changes, in order
    std::map<std::string, std::vector<std::string>> containers;  ///< by name
    int repetitions = 0;                                         ///< changes told again, identically, right after
    std::vector<std::string> contradictions;                     ///< what no run may show: two ids, two ports
    friend bool operator==(const History& a, const History& b) {
        return a.task == b.task && a.containers == b.containers;
    }
};

/// `submissions`: the bodies of the acknowledged SubmitTaskStateChange calls of one task, in order.
[[nodiscard]] History history_of(const std::vector<nlohmann::json>& submissions);
/// For people.
[[nodiscard]] std::string to_text(const History& history);

}  // namespace nodeagent::crash_matrix
