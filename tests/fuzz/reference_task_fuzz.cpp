// Any JSON as the reference's record of a task: what is taken can be saved, comes back the same, and lives on.
#include "agent/core/saved_task.hpp"
#include "agent/core/step.hpp"
#include "agent/takeover/reference_task.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace nodeagent;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = fuzz::text_of(bytes, size);
    const auto record = parse_json(text);
    if (!record) return 0;
    std::map<std::string, Json> containers;
    core::Identity names;
    names.uuid = [] { return std::string("uuid"); };
    names.container_name = [](const model::Task&, const std::string& container) { return "ecs-" + container; };
    names.volume_name = names.container_name;
    // the record may bring those of the other bucket along
    if (record->is_object() && record->contains("stored") && record->at("stored").is_object()) {
        for (const auto& [key, value] : record->at("stored").items()) containers.emplace(key, value);
    }
    auto task = takeover::translate_task(*record, containers, names, 1);
    if (!task) {
        require(task.error().what.starts_with("task record: "), "an error says what is damaged", task.error().what);
        return 0;
    }
    const std::string saved = core::encode_saved_task(task->task);
    const auto again = core::decode_saved_task(saved);
    require(again.has_value(), "what is saved can be read", saved);
    require(core::encode_saved_task(*again) == saved, "what is saved comes back", saved);
    Instant now{SteadyTime(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'700'000'000))};
    core::TaskState state = std::move(task->task);
    for (const core::Event& event : {core::Event(core::Resumed{}), core::Event(core::Woken{}),
                                     core::Event(core::DesiredChanged{core::TaskStatus::Stopped})}) {
        const core::TaskStatus known = state.known;
        state = core::step(std::move(state), event, now, core::Settings{}).state;
        require(state.known >= known, "a task's status never falls", saved);
        now.steady += std::chrono::minutes(10);
    }
    return 0;
}
