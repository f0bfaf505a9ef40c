// A configuration file, a NUL, then an environment as NAME=value lines; and the registry credentials of the instance.
#include <optional>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/config/load.hpp"
#include "agent/config/settings.hpp"
#include "agent/engine/spec/engine_auth.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using fuzz::require;
using fuzz::require_no_secret;

constexpr std::string_view kPath = "/etc/ecs/fuzz.json";

config::Surroundings with_file(std::string text) {
    config::Surroundings surroundings;
    surroundings.read_file = [text = std::move(text)](const std::string& path) -> Result<std::string> {
        if (path == kPath) return text;
        return Error{.kind = ErrorKind::NotFound, .what = path + ": no such file"};
    };
    return surroundings;
}

config::Environment environment_of(std::string_view lines) {
    config::Environment environment;
    for (const std::string_view line : split(lines, '\n')) {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || equals == 0) continue;
        environment.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    environment["ECS_AGENT_CONFIG_FILE_PATH"] = kPath;
    return environment;
}

config::Examination check(const config::Environment& environment, const config::Surroundings& surroundings) {
    config::Examination found = config::examine(environment, surroundings);
    const auto& settings = found.loaded.settings;
    require(settings.size() == config::settings().size(), "every setting has a line");
    for (const auto& line : settings) {
        require(!line.source.empty(), "a setting has a source", line.name);
        require(!line.secret || line.value.empty() || line.value == "<redacted>", "a secret is not shown", line.name);
        require_no_secret(line.value, "no setting shows a secret");
    }
    for (const auto* texts : {&found.loaded.warnings, &found.problems}) {
        for (const std::string& text : *texts) {
            require(!text.empty(), "a complaint says something");
            require_no_secret(text, "no complaint holds a secret");
        }
    }
    return found;
}

void check_auth(const Secret& data) {
    for (const std::string_view type : {std::string_view("docker"), std::string_view("dockercfg")}) {
        const auto auth = engine::EngineAuth::parse(type, data);
        if (!auth) {
            require(auth.error().what.starts_with("ECS_ENGINE_AUTH_DATA: "), "an error names the setting");
            continue;
        }
        for (const std::string_view image : {"busybox", "a.b/c", "docker.io/library/x", "localhost/y/z:1"}) {
            (void)auth->find(image);
        }
    }
}

/// With a secret where the file or the environment may have one.
void check_secrecy(const Json& file, config::Environment environment) {
    Json with_secret = file;
    with_secret["EngineAuthData"] = {{"https://example.com", {{"password", fuzz::kSecret}}}};
    (void)check(environment, with_file(dump_json(with_secret)));
    environment["ECS_ENGINE_AUTH_DATA"] = fuzz::kSecret;
    (void)check(environment, with_file(dump_json(file)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view input = fuzz::text_of(bytes, size);
    if (fuzz::holds_secret(input)) return 0;
    const std::size_t nul = input.find('\0');
    const std::string file(input.substr(0, nul));
    const config::Environment environment =
        environment_of(nul == std::string_view::npos ? std::string_view() : input.substr(nul + 1));
    const config::Examination found = check(environment, with_file(file));
    const auto loaded = config::load(environment, with_file(file));
    require(loaded.has_value() == found.problems.empty(), "loading fails when there are problems, and only then");
    check_auth(found.loaded.config.engine_auth_data);
    check_auth(Secret(file));

    auto document = parse_json(file);
    if (!document || !document->is_object()) return 0;
    check_secrecy(*document, environment);
    (*document)["AMemberOfTheFuture"] = {1, 2, 3};
    const config::Examination future = config::examine(environment, with_file(dump_json(*document)));
    for (std::size_t i = 0; i < found.loaded.settings.size(); ++i) {
        require(future.loaded.settings[i].value == found.loaded.settings[i].value, "unknown members change nothing",
                found.loaded.settings[i].name);
    }
    return 0;
}
