#include "tests/integration/crash_matrix/history.hpp"

namespace nodeagent::crash_matrix {

namespace {

using nlohmann::json;

void append(std::vector<std::string>& changes, std::string change, int& repetitions) {
    if (!changes.empty() && changes.back() == change) {
        ++repetitions;
    } else {
        changes.push_back(std::move(change));
    }
}

/// What may be known only once: noted, compared with what came before, replaced by "set".
void only_one(json& change, const char* member, std::map<std::string, std::string>& known, const std::string& whose,
              std::vector<std::string>& contradictions) {
    if (!change.contains(member)) return;
    const std::string text = change.at(member).dump();
    const auto [found, is_new] = known.try_emplace(whose + "." + member, text);
    if (!is_new && found->second != text) {
        contradictions.push_back(found->first + " is first " + found->second + ", then " + text);
    }
    change[member] = "set";
}

}  // namespace

History history_of(const std::vector<json>& submissions) {
    History history;
    std::map<std::string, std::string> known;
    for (const json& body : submissions) {
        json task = body;
        for (const json& one : body.value("containers", json::array())) {
            json change = one;
            const std::string name = change.value("containerName", "?");
            only_one(change, "runtimeId", known, name, history.contradictions);
            if (!change.value("networkBindings", json::array()).empty()) {
                only_one(change, "networkBindings", known, name, history.contradictions);
            }
            append(history.containers[name], change.dump(), history.repetitions);
        }
        for (const char* member : {"cluster", "containers", "task"}) task.erase(member);
        for (const char* member : {"pullStartedAt", "pullStoppedAt", "executionStoppedAt"}) {
            // earlier changes carry the times that are known by then, which depends on how far each container is
            if (task.value("status", "") != "STOPPED") task.erase(member);
            if (task.contains(member)) task[member] = "set";
        }
        // container changes that wait too long for the next change of their task go out with its present one
        const bool carrier = body.contains("containers") && !body.at("containers").empty();
        int of_carriers = 0;
        append(history.task, task.dump(), carrier ? of_carriers : history.repetitions);
    }
    return history;
}

std::string to_text(const History& history) {
    std::string text;
    for (const std::string& change : history.task) text += "  task " + change + '\n';
    for (const auto& [name, changes] : history.containers) {
        for (const std::string& change : changes) text += "  " + name + ' ' + change + '\n';
    }
    if (history.repetitions > 0) text += "  repetitions: " + std::to_string(history.repetitions) + '\n';
    for (const std::string& one : history.contradictions) text += "  contradiction: " + one + '\n';
    return text;
}

}  // namespace nodeagent::crash_matrix
