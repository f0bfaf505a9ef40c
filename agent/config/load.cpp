#include "agent/config/load.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"
#include "agent/config/container_paths.hpp"
#include "agent/config/contradictions.hpp"
#include "agent/config/host.hpp"
#include "agent/config/settings.hpp"
#include "agent/config/values.hpp"

namespace nodeagent::config {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kDefaultFile = "/etc/ecs_container_agent/config.json";
constexpr std::size_t kFileLimit = 1U << 20U;
constexpr std::string_view kEnvironment = "environment";
constexpr std::string_view kInstance = "instance metadata";
constexpr std::string_view kDefault = "default";

// A JSON document some of whose members are settings.
struct Document {
    std::string label;
    Json object;
};

class Loading {
  public:
    Loading(const Environment& environment, const Surroundings& surroundings)
        : environment_(environment), surroundings_(surroundings), read_file_(surroundings.read_file) {
        if (!read_file_) read_file_ = [](const std::string& path) { return nodeagent::read_file(path, kFileLimit); };
        external_ = values::parse_bool(value_of(environment_, "ECS_EXTERNAL")).value_or(false);
    }

    Examination run() {
        open_file();
        ask_user_data();
        take_apart();
        for (const Setting& setting : settings()) read(setting);
        settle_paths();
        settle_region();
        settle_identity();
        settle_engine();
        settle_registration();
        settle_telemetry();
        warn_of_contradictions();
        warn_of_unknown();
        Examination examination;
        describe(examination.loaded.settings);
        examination.loaded.config = std::move(config_);
        examination.loaded.warnings = std::move(complaints_.warnings);
        examination.problems = std::move(complaints_.problems);
        return examination;
    }

  private:
    struct Where {
        Found found = Found::Unset;
        std::string source{kDefault};
    };

    [[nodiscard]] std::string variable(std::string_view name) const { return value_of(environment_, name); }
    void warn(std::string text) { complaints_.warnings.push_back(std::move(text)); }
    void fail(std::string text) { complaints_.problems.push_back(std::move(text)); }
    Where& where(std::string_view name) { return where_[std::string(name)]; }
    [[nodiscard]] bool unset(std::string_view name) { return where(name).found == Found::Unset; }
    [[nodiscard]] bool given(std::string_view name) { return where(name).found == Found::Set; }

    // ---- sources

    void open_file() {
        path_ = variable("ECS_AGENT_CONFIG_FILE_PATH");
        if (path_.empty()) path_ = kDefaultFile;
        const std::string label = "file " + path_;
        const Result<std::string> text = read_file_(path_);
        if (!text) {
            const ErrorKind kind = text.error().kind;
            if (kind != ErrorKind::NotFound && kind != ErrorKind::Denied) fail(text.error().what);
            return;
        }
        if (trimmed(*text).empty()) return;
        Result<Json> object = parse_json(*text);
        if (!object) return fail(label + ": " + object.error().what);
        if (!object->is_object()) return fail(label + ": expected a JSON object like {\"Cluster\":\"prod\"}");
        adopt_cluster_arn(*object, label);
        documents_.push_back({label, std::move(*object)});
    }

    void adopt_cluster_arn(Json& object, const std::string& label) {
        const Json* arn = json_detail::member(object, "ClusterArn");
        if (arn == nullptr || !arn->is_string() || arn->get_ref<const std::string&>().empty()) return;
        warn("ClusterArn (" + label + "): deprecated; use Cluster");
        const Json* cluster = json_detail::member(object, "Cluster");
        const bool empty =
            cluster == nullptr || (cluster->is_string() && cluster->get_ref<const std::string&>().empty());
        if (empty) object["Cluster"] = Json(*arn);
    }

    void ask_user_data() {
        if (instance() == nullptr) return;
        const Result<std::string> text = instance()->user_data();
        if (!text) {
            if (text.error().kind != ErrorKind::NotFound) warn("EC2 user data: " + text.error().what);
            return;
        }
        const Result<Json> document = parse_json(*text);
        if (!document || !document->is_object()) return;  // a shell script, most often
        const Json* object = json_detail::member(*document, "ECSAgentConfiguration");
        if (object == nullptr || !object->is_object()) return;
        // As the reference does: one member of the wrong type and none of the document counts.
        Config scratch;
        Complaints complaints;
        for (const Setting& setting : settings()) {
            const Json* member = setting.key.empty() ? nullptr : json_detail::member(*object, setting.key);
            if (member == nullptr || setting.read_json == nullptr) continue;
            setting.read_json(Reading{setting, Origin::File, "user data", complaints}, scratch, *member);
        }
        if (!complaints.problems.empty()) {
            warn("EC2 user data is ignored: " + join(complaints.problems, "; "));
            return;
        }
        documents_.push_back({"user data", *object});
    }

    [[nodiscard]] InstanceFacts* instance() const {
        return external_ || surroundings_.blackhole_imds ? nullptr : surroundings_.instance;
    }

    // Variables that give two settings, or a setting that depends on more than one variable: by JSON key.
    void take_apart() {
        const std::string rate = variable("ECS_TASK_METADATA_RPS_LIMIT");
        if (!rate.empty()) {
            const std::vector<std::string_view> parts = split(rate, ',');
            const bool two = parts.size() == 2 && parse_integer(trimmed(parts[0])) && parse_integer(trimmed(parts[1]));
            if (!two) warn("ECS_TASK_METADATA_RPS_LIMIT (environment): expected two integers like 40,60; ignored");
            composed_["TaskMetadataSteadyStateRate"] = two ? std::string(trimmed(parts[0])) : "";
            composed_["TaskMetadataBurstRate"] = two ? std::string(trimmed(parts[1])) : "";
        }
        const auto on = [this](std::string_view name) { return values::parse_bool(variable(name)).value_or(false); };
        const bool wanted = on("ECS_GMSA_SUPPORTED");
        const std::string fetcher = variable("CREDENTIALS_FETCHER_HOST_DIR");
        bool fetcher_there = false;
        if (wanted && !fetcher.empty()) {
            // A socket: it cannot be read, but the error tells whether it is there.
            const Result<std::string> probe = read_file_(fetcher);
            fetcher_there = probe.has_value() || probe.error().kind != ErrorKind::NotFound;
        }
        const bool joined = !variable("CREDENTIALS_FETCHER_SECRET_NAME_FOR_DOMAINLESS_GMSA").empty() ||
                            on("ECS_DOMAIN_JOINED_LINUX_INSTANCE");
        const bool capable = on("ZZZ_SKIP_DOMAIN_JOIN_CHECK_NOT_SUPPORTED_IN_PRODUCTION") || (fetcher_there && joined);
        const bool domainless = on("ZZZ_SKIP_DOMAIN_LESS_CHECK_NOT_SUPPORTED_IN_PRODUCTION") || fetcher_there;
        composed_["GMSACapable"] = wanted && capable ? "true" : "";
        composed_["GMSADomainlessCapable"] = wanted && domainless ? "true" : "";
    }

    // ---- one setting

    [[nodiscard]] std::string text_of(const Setting& setting) const {
        if (const auto composed = composed_.find(setting.key); composed != composed_.end()) return composed->second;
        if (setting.variable.empty()) return {};
        std::string text = variable(setting.variable);
        if (text.empty() && setting.variable.ends_with("_PROXY")) text = variable(lower(setting.variable));
        return text;
    }

    void read(const Setting& setting) {
        Where& at = where(setting.name());
        if (setting.read_text != nullptr) {
            const Reading reading{setting, Origin::Variable, kEnvironment, complaints_};
            at.found = setting.read_text(reading, config_, text_of(setting));
            if (at.found == Found::Set) at.source = kEnvironment;
            if (at.found != Found::Unset) return;
        }
        if (setting.key.empty() || setting.read_json == nullptr) return;
        for (const Document& document : documents_) {
            const Json* member = json_detail::member(document.object, setting.key);
            if (member == nullptr) continue;
            at.found = setting.read_json(Reading{setting, Origin::File, document.label, complaints_}, config_, *member);
            if (at.found == Found::Set) at.source = document.label;
            if (at.found != Found::Unset) return;
        }
    }

    // ---- rules over several settings

    void settle_paths() {
        const auto is_there = [this](const std::string& path) {  // of a directory, the error tells it
            const Result<std::string> probe = read_file_(path);
            return probe.has_value() || probe.error().kind != ErrorKind::NotFound;
        };
        const ContainerPaths paths(is_there, !config_.host_data_dir.empty());
        for (const auto& [name, member] :
             {std::pair("ECS_DATADIR", &Config::data_dir), std::pair("ECS_LOGFILE", &Config::log_file),
              std::pair("ECS_AUDIT_LOGFILE", &Config::audit_logfile),
              std::pair("RuntimeStatsLogFile", &Config::runtime_stats_logfile),
              std::pair("ECS_UPDATE_DOWNLOAD_DIR", &Config::update_download_dir)}) {
            if (!given(name)) continue;
            const auto on_host = paths.on_host(config_.*member);
            if (!on_host) continue;
            warn(std::string(name) + " (" + where(name).source + "): " + config_.*member +
                 " is a path in amazon-ecs-agent's container; on this host it is " + *on_host + ", which is used");
            config_.*member = *on_host;
        }
    }

    void settle_region() {
        if (external_) {
            if (trimmed(variable("AWS_DEFAULT_REGION")).empty()) {
                fail("no AWS region: set AWS_DEFAULT_REGION; with ECS_EXTERNAL=true the environment must name it");
            }
            return;
        }
        if (unset("AWS_DEFAULT_REGION") && instance() != nullptr) {
            const bool document = !config_.no_instance_identity;
            const Result<std::string> region =
                document ? instance()->identity_region() : instance()->placement_region();
            if (region) {
                config_.region = trimmed(*region);
                where("AWS_DEFAULT_REGION") = {Found::Set, std::string(kInstance)};
            } else if (document) {
                warn("region from the instance identity document: " + region.error().what);
            } else {
                fail("region from instance metadata: " + region.error().what);
            }
        }
        if (config_.region.empty()) {
            fail("no AWS region: set AWS_DEFAULT_REGION, or AWSRegion in " + path_ +
                 "; the instance metadata service could not tell it either");
        }
    }

    void settle_identity() {
        if (!config_.api_endpoint.empty() && config_.api_endpoint.find("://") == std::string::npos) {
            const std::string given = config_.api_endpoint;
            config_.api_endpoint = "https://" + given;
            // a port betrays a server of one's own, which seldom speaks TLS
            if (given.find(':') != std::string::npos) {
                warn("ECS_BACKEND_HOST \"" + given + "\" has no scheme: " + config_.api_endpoint +
                     " is used; write http://" + given + " for a server without TLS");
            }
        }
        if (config_.external.enabled()) {
            config_.no_instance_identity = true;
            where("NoIID").source = where("ECS_EXTERNAL").source;
        }
        config_.blackhole_imds = surroundings_.blackhole_imds || config_.external.enabled();
        const auto family = environment_.find("ECS_DETAILED_OS_FAMILY");
        if (family != environment_.end() && family->second.empty()) {
            config_.detailed_os_family.clear();
            where("ECS_DETAILED_OS_FAMILY").source = kEnvironment;
        }
        config_.ipv6_only = config_.ip_compatibility == IpCompatibility::Auto
                                ? has_only_ipv6_routes(read_file_)
                                : config_.ip_compatibility == IpCompatibility::Ipv6;
    }

    void settle_engine() {
        if (unset("ECS_CHECKPOINT")) config_.checkpoint = !variable("ECS_DATADIR").empty();
        if (!given("ECS_EXCLUDE_IPV6_PORTBINDING")) config_.exclude_ipv6_port_binding = !config_.ipv6_only;
        if (!given("ECS_DYNAMIC_HOST_PORT_RANGE")) {
            if (const auto range = kernel_port_range(read_file_)) {
                std::tie(config_.dynamic_port_first, config_.dynamic_port_last) = *range;
            }
        }
        if (config_.metadata_steady_rate <= 0 || config_.metadata_burst <= 0) {
            warn("ECS_TASK_METADATA_RPS_LIMIT: rate and burst must be above zero; the defaults 40,60 are used instead");
            const Config defaults;
            config_.metadata_steady_rate = defaults.metadata_steady_rate;
            config_.metadata_burst = defaults.metadata_burst;
            where("ECS_TASK_METADATA_RPS_LIMIT").source = where("TaskMetadataBurstRate").source = kDefault;
        }
        if (config_.task_eni.enabled()) {
            config_.eni_trunking.fallback = true;
        } else {
            config_.eni_trunking.set = false;
        }
    }

    void settle_registration() {
        static const std::set<std::string, std::less<>> known{"json-file", "syslog",  "journald",   "gelf",
                                                              "fluentd",   "awslogs", "splunk",     "logentries",
                                                              "sumologic", "none",    "awsfirelens"};
        std::vector<std::string> unknown;
        for (const std::string& driver : config_.available_logging_drivers) {
            if (!known.contains(driver)) unknown.push_back(driver);
        }
        if (!unknown.empty()) {
            fail("ECS_AVAILABLE_LOGGING_DRIVERS (" + where("ECS_AVAILABLE_LOGGING_DRIVERS").source +
                 "): invalid logging drivers: " + join(unknown, ", ") + "; known are " +
                 join(std::vector<std::string>(known.begin(), known.end()), ", "));
        }
        if (config_.prometheus_metrics) config_.reserved_ports.push_back(kPrometheusPort);
    }

    void settle_telemetry() {
        if (config_.poll_metrics.enabled()) {
            const std::chrono::nanoseconds held =
                std::clamp<std::chrono::nanoseconds>(config_.poll_metrics_wait, 5s, 20s);
            if (held != config_.poll_metrics_wait) {
                warn("ECS_POLLING_METRICS_WAIT_DURATION: " + go_duration(config_.poll_metrics_wait) +
                     " is outside 5s to 20s; " + go_duration(held) + " is used instead");
                config_.poll_metrics_wait = held;
            }
        }
        if (!given("ECS_LOGLEVEL_ON_INSTANCE")) {
            config_.log_level_on_instance = config_.log_driver.empty() ? config_.log_level : log::Level::None;
        }
    }

    void warn_of_contradictions() {
        const auto is_given = [this](std::string_view name) { return given(name); };
        for (std::string& text : contradictions(config_, is_given)) warn(std::move(text));
    }

    void warn_of_unknown() {
        for (const auto& [name, value] : environment_) {
            // ECS_CONTAINER_METADATA_URI and its like are given to us when the agent itself runs in a task.
            if (!name.starts_with("ECS_") || name.starts_with("ECS_CONTAINER_METADATA")) continue;
            if (!where_.contains(name)) warn(name + " (environment): no such setting; see --help for the list");
        }
    }

    // ---- what came out

    void describe(std::vector<EffectiveSetting>& out) {
        for (const Setting& setting : settings()) {
            const Where& at = where(setting.name());
            EffectiveSetting line;
            line.name = setting.name();
            line.source = at.source;
            line.active = setting.active;
            line.secret = setting.secret;
            line.value = setting.show != nullptr ? setting.show(config_) : text_of(setting);
            if (setting.secret && !line.value.empty()) line.value = "<redacted>";
            const bool asked_for =
                at.source != kDefault && setting.show != nullptr && line.value != setting.show(Config{});
            if (!setting.active && asked_for) {
                warn(line.name + " (" + at.source +
                     "): accepted, but not active: this build does not have the feature");
            }
            out.push_back(std::move(line));
        }
    }

    const Environment& environment_;
    const Surroundings& surroundings_;
    ReadFile read_file_;
    bool external_ = false;
    std::string path_;
    std::vector<Document> documents_;  ///< in order of precedence
    std::map<std::string, std::string, std::less<>> composed_;
    std::map<std::string, Where, std::less<>> where_;  ///< by Setting::name()
    Config config_;
    Complaints complaints_;
};

}  // namespace

Examination examine(const Environment& environment, const Surroundings& surroundings) {
    return Loading(environment, surroundings).run();
}

Result<Loaded> load(const Environment& environment, const Surroundings& surroundings) {
    Examination examination = examine(environment, surroundings);
    if (examination.problems.empty()) return std::move(examination.loaded);
    return Error{.kind = ErrorKind::Malformed, .what = "load configuration: " + join(examination.problems, "; ")};
}

}  // namespace nodeagent::config
