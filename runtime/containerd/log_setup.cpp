#include "runtime/containerd/log_setup.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "runtime/logs/config.hpp"
#include "runtime/logs/datetime_format.hpp"

namespace nodeagent::runtime::containerd {

namespace {

struct Wanted {
    std::string driver = "json-file";
    logs::Options options;
};

Wanted wanted_log(const Json& host_config) {
    Wanted wanted;
    const auto log_config = host_config.find("LogConfig");
    if (log_config == host_config.end() || !log_config->is_object()) return wanted;
    if (const std::string type = log_config->value("Type", ""); !type.empty()) wanted.driver = type;
    if (const auto options = log_config->find("Config"); options != log_config->end() && options->is_object()) {
        for (const auto& [name, value] : options->items()) {
            if (value.is_string()) wanted.options.emplace(name, value.get<std::string>());
        }
    }
    return wanted;
}

/// The program knows patterns; the agent does not load their library.
Result<void> check_pattern(const std::string& program, const std::string& pattern) {
    std::string words[] = {program, "check-pattern", pattern};
    char* const arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    char* const environment[] = {nullptr};
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment);
    if (failed != 0) return from_error_code("run " + program, {failed, std::generic_category()});
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return Error{.kind = ErrorKind::Malformed,
                 .what = "awslogs could not parse multiline pattern key \"" + pattern + "\": it is no regular expression"};
}

}  // namespace

std::vector<std::string> log_drivers(const LogOptions& options) {
    if (options.program.empty()) return {"none"};
    return {"awslogs", "json-file", "journald", "none"};
}

Result<void> check_log_config(const Json& host_config, const LogOptions& options) {
    const Wanted wanted = wanted_log(host_config);
    const auto drivers = log_drivers(options);
    if (std::find(drivers.begin(), drivers.end(), wanted.driver) == drivers.end() && options.program.empty()) {
        return Error{.kind = ErrorKind::Internal,
                     .what = "containers cannot have a log: the program ecs-awslogs is not installed beside the agent"};
    }
    if (auto valid = logs::validate(wanted.driver, wanted.options, options.region); !valid) return valid;
    if (const auto pattern = wanted.options.find("awslogs-multiline-pattern"); pattern != wanted.options.end()) {
        return check_pattern(options.program, pattern->second);
    }
    if (const auto format = wanted.options.find("awslogs-datetime-format"); format != wanted.options.end()) {
        return check_pattern(options.program, logs::datetime_pattern(format->second));
    }
    return {};
}

Result<Streams> set_up_logs(const LogOptions& options, const std::string& folder, const Container& container,
                            const Creation& creation) {
    Wanted wanted = wanted_log(creation.host_config);
    if (wanted.driver == "none") return Streams{};
    logs::LogConfig config;
    config.driver = wanted.driver;
    config.options = wanted.options;
    config.container_id = container.id;
    config.container_name = creation.name;
    config.image_name = creation.image;
    config.image_id = creation.image_id;
    config.labels = container.labels;
    config.log_path = folder + "/" + container.id + "-json.log";
    config.state_path = folder + "/log";
    config.spool_bytes = options.spool_bytes;
    config.region = options.region;
    config.ca_file = options.ca_file;
    config.proxy = options.proxy;
    config.no_proxy = options.no_proxy;
    config.user_agent = options.user_agent;
    const auto role = wanted.options.find("awslogs-credentials-endpoint");
    if (role != wanted.options.end() && !role->second.empty()) {
        config.credentials.uri = options.credentials_host + role->second;
    } else {
        config.credentials.agent_socket = options.agent_socket;
    }
    const std::string file = folder + "/log.json";
    if (auto written = replace_file(file, logs::encode(config), 0600); !written) return written.error();
    // data folders are ours and have no characters that a query would have to escape
    const std::string uri = "binary://" + options.program + "?config=" + file;
    return Streams{.in = {}, .out = uri, .err = uri};
}

}  // namespace nodeagent::runtime::containerd
