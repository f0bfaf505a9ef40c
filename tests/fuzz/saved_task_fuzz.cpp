// Any bytes as a row of the state store: what is taken can be saved again, comes back the same, and lives on.
#include "agent/core/saved_task.hpp"
#include "agent/core/step.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace nodeagent;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    auto task = core::decode_saved_task(fuzz::text_of(bytes, size));
    if (!task) {
        require(task.error().what.starts_with("saved task: "), "an error says what is damaged", task.error().what);
        return 0;
    }
    const std::string text = core::encode_saved_task(*task);
    const auto again = core::decode_saved_task(text);
    require(again.has_value(), "what is saved can be read", text);
    require(core::encode_saved_task(*again) == text, "what is saved comes back", text);

    Instant now{SteadyTime(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'700'000'000))};
    core::TaskState state = *std::move(task);
    for (const core::Event& event :
         {core::Event(core::Resumed{}), core::Event(core::Woken{}), core::Event(core::HostResourcesGranted{}),
          core::Event(core::Woken{}), core::Event(core::DesiredChanged{core::TaskStatus::Stopped}),
          core::Event(core::Woken{})}) {
        const core::TaskStatus known = state.known;
        state = core::step(std::move(state), event, now, core::Settings{}).state;
        require(state.known >= known, "a task's status never falls", text);
        now.steady += std::chrono::minutes(10);
        now.wall += std::chrono::minutes(10);
    }
    return 0;
}
