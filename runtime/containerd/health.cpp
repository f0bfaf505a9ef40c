#include "runtime/containerd/health.hpp"

#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::size_t kShownOutput = 1024;  // of what inspect() tells

std::vector<std::string> words(const Json& object, const char* name) {
    std::vector<std::string> list;
    const auto found = object.find(name);
    if (found == object.end() || !found->is_array()) return list;
    for (const Json& word : *found) {
        if (word.is_string()) list.push_back(word.get<std::string>());
    }
    return list;
}

std::chrono::nanoseconds duration(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number_integer()) return {};
    return std::chrono::nanoseconds(found->get<std::int64_t>());
}

std::vector<std::string> command_of(const std::vector<std::string>& test, const std::vector<std::string>& shell) {
    if (test.front() == "CMD") return {test.begin() + 1, test.end()};
    std::vector<std::string> command = shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"} : shell;
    if (test.size() > 1) command.push_back(test[1]);
    return command;
}

}  // namespace

std::optional<HealthCheck> health_check(const nlohmann::json& config, const ImageConfig& image) {
    const ImageHealthcheck inherited = image.healthcheck.value_or(ImageHealthcheck{});
    std::vector<std::string> test = inherited.test;
    HealthCheck check;
    const auto set = [](auto& target, auto value) {
        if (value > std::decay_t<decltype(value)>{}) target = value;
    };
    set(check.interval, inherited.interval);
    set(check.timeout, inherited.timeout);
    set(check.start_period, inherited.start_period);
    set(check.retries, inherited.retries);
    if (const auto own = config.find("Healthcheck"); own != config.end() && own->is_object()) {
        if (auto wanted = words(*own, "Test"); !wanted.empty()) test = std::move(wanted);
        set(check.interval, duration(*own, "Interval"));
        set(check.timeout, duration(*own, "Timeout"));
        set(check.start_period, duration(*own, "StartPeriod"));
        if (const auto retries = own->find("Retries"); retries != own->end() && retries->is_number_integer()) {
            set(check.retries, retries->get<int>());
        }
    }
    if (test.size() < 2 || test.front() == "NONE") return std::nullopt;
    std::vector<std::string> shell = words(config, "Shell");
    check.command = command_of(test, shell.empty() ? image.shell : shell);
    return check;
}

HealthState after_probe(HealthState state, const HealthCheck& check, ProbeOutcome outcome,
                        std::chrono::nanoseconds since_start) {
    state.health.exit_code = outcome.exit_code;
    state.health.output = truncated(outcome.output, kShownOutput);
    if (outcome.exit_code == 0) {
        state.failures = 0;
        state.health.status = Health::Status::Healthy;
        return state;
    }
    const bool forgiven = state.health.status == Health::Status::Starting && since_start < check.start_period;
    if (forgiven) return state;
    ++state.failures;
    if (state.failures >= check.retries) state.health.status = Health::Status::Unhealthy;
    return state;
}

}  // namespace nodeagent::runtime::containerd
