#include "agent/engine/pause_image.hpp"

#include <filesystem>
#include <system_error>

#include "agent/base/files.hpp"
#include "agent/base/strings.hpp"
#include "agent/core/internal_containers.hpp"
#include "runtime/image_archive.hpp"

namespace nodeagent::engine {

namespace {
constexpr std::string_view kProgram = "ecs-pause";
}

std::vector<std::string> pause_program_places(const std::string& own_program) {
    const std::filesystem::path folder = std::filesystem::path(own_program).parent_path();
    return {(folder / kProgram).string(), (folder.parent_path() / "libexec" / "ecs-node-agent" / kProgram).string()};
}

std::string own_program() {
    std::error_code failure;
    return std::filesystem::read_symlink("/proc/self/exe", failure).string();
}

Result<std::string> find_pause_program(const std::vector<std::string>& places) {
    for (const std::string& place : places) {
        std::error_code failure;
        if (std::filesystem::is_regular_file(place, failure)) return place;
    }
    return Error{.kind = ErrorKind::NotFound,
                 .what = "the pause program is not installed: looked for " + join(places, " and ") +
                         "; copy ecs-pause, which is built with the agent, there"};
}

Result<std::string> make_pause_image(const std::vector<std::string>& places) {
    const Result<std::string> place = find_pause_program(places);
    if (!place) return place.error();
    const Result<std::string> program = read_file(*place);
    if (!program) return program.error();
    return runtime::image_archive(core::kPauseImage, "pause", *program);
}

}  // namespace nodeagent::engine
