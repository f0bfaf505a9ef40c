// Any bytes as the two streams of the Docker daemon, events and the progress of a pull, line by line, and as the body
// of an error answer.
#include <set>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/docker/mapping.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace nodeagent;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view input = fuzz::text_of(bytes, size);
    runtime::docker::PullLog log;
    std::size_t lines = 0;
    for (const std::string_view line : split(input, '\n')) {
        ++lines;
        const auto event = runtime::docker::runtime_event(line);
        if (event) {
            require(!event->container_id.empty(), "an event names its container", line);
            using Kind = runtime::RuntimeEvent::Kind;
            require(!event->exit_code || event->kind == Kind::Exited, "only an end has an exit code", line);
            auto document = parse_json(line);
            require(document.has_value(), "an event is JSON", line);
            (*document)["aMemberOfTheFuture"] = {1, 2, 3};
            const auto again = runtime::docker::runtime_event(dump_json(*document));
            require(again && again->kind == event->kind && again->container_id == event->container_id &&
                        again->exit_code == event->exit_code,
                    "unknown members change nothing", line);
        }
        const runtime::PullProgress before = log.progress();
        const bool changed = log.add(line);
        const runtime::PullProgress& now = log.progress();
        require(now.layers_done <= now.layers && now.layers <= lines, "no more layers are done than heard of", line);
        require(changed || (now.current_bytes == before.current_bytes && now.total_bytes == before.total_bytes),
                "a change of the sums is told", line);
    }
    for (const int status : {400, 404, 500}) {
        const Error error = runtime::docker::daemon_error(status, input);
        require(error.what.starts_with("Error response from daemon: "), "an error says who said it", error.what);
        (void)runtime::docker::kind_of_pull_error(error.what, error.kind);
    }
    return 0;
}
