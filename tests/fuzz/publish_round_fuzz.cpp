// The requests of an agent's rounds, one a line: what comes out of them is what samples can be, and every request comes
// out once at most.
#include <cmath>

#include "agent/base/strings.hpp"
#include "agent/local/publish_round.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using fuzz::require;

void check_set(const local::StatisticSet& set) {
    if (set == local::StatisticSet{}) return;
    require(set.count >= 1 && set.minimum <= set.maximum, "a set has samples, its lowest below its highest");
    require(std::isfinite(set.sum) && std::isfinite(set.maximum), "a set is finite");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    local::PublishRound round;
    std::size_t given = 0;
    std::size_t taken = 0;
    for (const std::string_view line : split(fuzz::text_of(bytes, size), '\n')) {
        auto request = parse_json(line);
        if (!request || !request->is_object()) continue;
        given += 1;
        for (const Json& whole : round.add(std::move(*request), line.size())) {
            taken += 1;
            for (const local::TaskUse& task : local::tasks_in(whole)) {
                for (const local::ContainerUse& container : task.containers) {
                    check_set(container.cpu);
                    check_set(container.memory);
                }
            }
        }
    }
    require(taken <= given, "there are no more rounds than requests");
    return 0;
}
