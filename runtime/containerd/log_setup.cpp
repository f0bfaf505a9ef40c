#include "runtime/containerd/log_setup.hpp"

#include <algorithm>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/containerd/images/image_store.hpp"
#include "runtime/logs/config.hpp"
#include "runtime/logs/pattern.hpp"
#include "runtime/logs/tag.hpp"

namespace nodeagent::runtime::containerd {

namespace {

struct Wanted {
    std::string driver = "json-file";
    logs::LogOptions options;
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

/// What the process is started with, of the OCI document: arguments, and those variables that the log may show.
void add_process(const std::string& spec, logs::LoggerConfig& config) {
    const auto document = parse_json(spec);
    if (!document || !document->is_object()) return;
    const auto process = document->find("process");
    if (process == document->end() || !process->is_object()) return;
    std::vector<std::string> words;
    for (const Json& word : process->value("args", Json::array())) {
        if (word.is_string()) words.push_back(word.get<std::string>());
    }
    config.command = join(words, " ");
    const auto option = [&config](const char* name) {
        const auto found = config.options.find(name);
        return found == config.options.end() ? std::string() : found->second;
    };
    const std::string names = option("env");
    const auto asked = split(names, ',');
    // checked when the container was created
    const auto pattern = logs::compile_pattern(option("env-regex"));
    for (const Json& variable : process->value("env", Json::array())) {
        if (!variable.is_string()) continue;
        const std::string& text = variable.get_ref<const std::string&>();
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos) continue;
        const std::string name = text.substr(0, equals);
        const bool named = std::find(asked.begin(), asked.end(), name) != asked.end();
        const bool fits = pattern && *pattern != nullptr && (*pattern)->matches(name);
        if (named || fits) config.env[name] = text.substr(equals + 1);
    }
}

std::string spool_folder(const std::string& folder) { return folder + "/log"; }
std::string status_file(const std::string& folder) { return folder + "/log-status.json"; }
std::string kept_config(const std::string& folder) { return folder + "/log.json"; }

void add_host(const LogOptions& options, logs::LoggerConfig& config) {
    config.user_agent = options.user_agent;
    config.region = options.region;
    config.ca_file = options.ca_file;
    config.ca_directory = options.ca_directory;
    if (options.route && config.driver == "awslogs") {
        const auto option = [&](const char* name) {
            const auto found = config.options.find(name);
            return found == config.options.end() ? std::string() : found->second;
        };
        const std::string region = option("awslogs-region");
        LogRoute route = options.route(region.empty() ? config.region : region, option("awslogs-endpoint"));
        config.endpoint = std::move(route.endpoint);
        config.proxy = std::move(route.proxy);
    }
    const auto role = config.options.find("awslogs-credentials-endpoint");
    if (role != config.options.end() && !role->second.empty()) {
        config.credentials.uri = options.credentials_host + role->second;
    } else {
        config.credentials.socket = options.agent_socket;
    }
}

/// Enough to send what a spool holds, and nothing of the container's arguments and variables. The stream's name, which
/// the tag may make of them, is made already.
Result<void> keep_for_later(logs::LoggerConfig config, const std::string& folder) {
    std::string& stream = config.options["awslogs-stream"];
    if (stream.empty()) {
        auto name = logs::log_tag(config, "{{.FullID}}");
        if (!name) return std::move(name).error();
        stream = *std::move(name);
    }
    config.options.erase("tag");
    config.command.clear();
    config.env.clear();
    config.labels.clear();
    config.proxy.clear();
    config.endpoint.clear();
    config.credentials = {};
    return replace_file(kept_config(folder), logs::encode_config(config), 0600);
}

}  // namespace

std::vector<std::string> log_drivers(const LogOptions& options) {
    if (options.program.empty()) return {"none"};
    return {"awslogs", "json-file", "journald", "none"};
}

Result<void> check_log_config(const Json& host_config, const LogOptions& options) {
    const Wanted wanted = wanted_log(host_config);
    if (wanted.driver == "none") return {};
    if (options.program.empty()) {
        return Error{.kind = ErrorKind::Internal,
                     .what = "containers cannot have a log: the program ecs-awslogs is not installed beside the agent"};
    }
    return logs::validate(wanted.driver, wanted.options);
}

std::string json_log_file(const std::string& folder, const std::string& container_id) {
    return folder + "/" + container_id + "-json.log";
}

std::string logger_config_file(const std::string& run_folder) { return run_folder + "/log.json"; }

Result<Streams> set_up_logs(const LogOptions& options, const std::string& folder, const std::string& run_folder,
                            const Container& container, const Creation& creation) {
    Wanted wanted = wanted_log(creation.host_config);
    if (wanted.driver == "none") return Streams{};
    logs::LoggerConfig config;
    config.driver = std::move(wanted.driver);
    config.options = std::move(wanted.options);
    config.container_id = container.id;
    config.container_name = creation.name;
    config.image = creation.image;
    config.image_id = creation.image_id;
    config.labels = container.labels;
    config.labels.erase(kNameLabel);
    config.labels.erase(kImageIdLabel);
    add_process(container.spec, config);
    add_host(options, config);
    config.status_file = status_file(folder);
    config.log_file = json_log_file(folder, container.id);
    if (options.spool_bytes > 0 && config.driver == "awslogs") {
        config.spool.directory = spool_folder(folder);
        config.spool.max_bytes = options.spool_bytes;
        if (auto kept = keep_for_later(config, folder); !kept) return kept.error();
    }
    const std::string file = logger_config_file(run_folder);
    if (auto written = replace_file(file, logs::encode_config(config), 0600); !written) return written.error();
    // folders of the agent have no characters that a query would have to escape
    const std::string uri = "binary://" + options.program + "?config=" + file;
    return Streams{.in = {}, .out = uri, .err = uri};
}

Result<std::string> leftover_config(const LogOptions& options, const std::string& folder) {
    const auto text = read_file(kept_config(folder), 1U << 20U);
    if (!text) return text.error();
    auto config = logs::decode_config(*text);
    if (!config) return std::move(config).error();
    add_host(options, *config);
    config->spool.directory = spool_folder(folder);
    config->spool.max_bytes = std::max(config->spool.max_bytes, options.spool_bytes);
    config->spool.seconds = static_cast<std::uint64_t>(kSendingLasts.count());
    config->status_file = status_file(folder);
    return logs::encode_config(*config);
}

}  // namespace nodeagent::runtime::containerd
