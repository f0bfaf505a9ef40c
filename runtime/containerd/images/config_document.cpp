#include "runtime/containerd/images/config_document.hpp"

#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/time_format.hpp"
#include "runtime/containerd/images/chain_ids.hpp"
#include "runtime/registry/bounded_json.hpp"
#include "runtime/registry/digest.hpp"
#include "runtime/registry/manifest.hpp"
#include "runtime/registry/reference.hpp"

namespace nodeagent::runtime::containerd {

namespace {

struct WireHealthcheck {
    std::vector<std::string> test;
    std::int64_t interval = 0, timeout = 0, start_period = 0;  // nanoseconds
    int retries = 0;
    static constexpr auto json_fields() {
        using T = WireHealthcheck;
        return std::tuple{optional_field("Test", &T::test), optional_field("Interval", &T::interval),
                          optional_field("Timeout", &T::timeout), optional_field("StartPeriod", &T::start_period),
                          optional_field("Retries", &T::retries)};
    }
};

struct WireRunConfig {
    std::string user, working_dir, stop_signal;
    std::vector<std::string> env;
    Json entrypoint, cmd, shell;  // a list, or one word
    std::map<std::string, Json> volumes, exposed_ports;
    std::map<std::string, std::string> labels;
    std::optional<WireHealthcheck> healthcheck;
    static constexpr auto json_fields() {
        using T = WireRunConfig;
        return std::tuple{optional_field("User", &T::user),
                          optional_field("WorkingDir", &T::working_dir),
                          optional_field("StopSignal", &T::stop_signal),
                          optional_field("Env", &T::env),
                          optional_field("Entrypoint", &T::entrypoint),
                          optional_field("Cmd", &T::cmd),
                          optional_field("Shell", &T::shell),
                          optional_field("Volumes", &T::volumes),
                          optional_field("ExposedPorts", &T::exposed_ports),
                          optional_field("Labels", &T::labels),
                          optional_field("Healthcheck", &T::healthcheck)};
    }
};

struct WireRootfs {
    std::vector<std::string> diff_ids;
    static constexpr auto json_fields() { return std::tuple{optional_field("diff_ids", &WireRootfs::diff_ids)}; }
};

struct WireImage {
    std::string created;
    WireRunConfig config;
    std::optional<WireRootfs> rootfs;
    static constexpr auto json_fields() {
        using T = WireImage;
        return std::tuple{optional_field("created", &T::created), optional_field("config", &T::config),
                          optional_field("rootfs", &T::rootfs)};
    }
};

Error unreadable(const std::string& why) {
    return {.kind = ErrorKind::Malformed, .what = "the image's configuration cannot be read: " + why};
}

Result<std::vector<std::string>> words(const char* name, const Json& value) {
    std::vector<std::string> out;
    if (value.is_null()) return out;
    if (value.is_string()) {
        out.push_back(value.get<std::string>());
        return out;
    }
    if (!value.is_array()) return unreadable(std::string("config.") + name + ": expected a list");
    for (const Json& word : value) {
        if (!word.is_string()) return unreadable(std::string("config.") + name + ": expected words");
        out.push_back(word.get<std::string>());
    }
    return out;
}

std::vector<std::string> keys_of(const std::map<std::string, Json>& all) {
    std::vector<std::string> out;
    out.reserve(all.size());
    for (const auto& [key, value] : all) out.push_back(key);
    return out;
}

}  // namespace

Result<ConfigDocument> parse_config(std::string_view body) {
    auto document = registry::parse_bounded("the image's configuration", body, {.bytes = registry::kMaxConfig});
    if (!document) return std::move(document).error();
    auto decoded = decode_document<WireImage>(*document);
    if (!decoded) return unreadable(decoded.error().what);
    WireImage& in = *decoded;
    if (!in.rootfs) return unreadable("it has no rootfs, so it is none of a container image");

    ConfigDocument out;
    out.diff_ids = std::move(in.rootfs->diff_ids);
    if (out.diff_ids.size() > registry::kMaxLayers) return unreadable("it has too many layers");
    for (const std::string& diff_id : out.diff_ids) {
        if (!registry::is_digest(diff_id)) return unreadable("rootfs.diff_ids: not a digest of sha256");
    }
    const std::vector<std::string> chain = chain_ids(out.diff_ids);
    out.created = parse_rfc3339(in.created);

    ImageConfig& config = out.config;
    config.id = registry::digest_of(body);
    config.chain_id = chain.empty() ? std::string() : chain.back();
    config.user = std::move(in.config.user);
    config.working_dir = std::move(in.config.working_dir);
    config.env = std::move(in.config.env);
    for (const auto& [name, from, to] :
         {std::tuple{"Entrypoint", &in.config.entrypoint, &config.entrypoint},
          std::tuple{"Cmd", &in.config.cmd, &config.cmd}, std::tuple{"Shell", &in.config.shell, &config.shell}}) {
        auto list = words(name, *from);
        if (!list) return std::move(list).error();
        *to = *std::move(list);
    }
    config.volumes = keys_of(in.config.volumes);
    config.exposed_ports = keys_of(in.config.exposed_ports);
    config.labels = std::move(in.config.labels);
    config.stop_signal = std::move(in.config.stop_signal);
    if (in.config.healthcheck) {
        const WireHealthcheck& check = *in.config.healthcheck;
        config.healthcheck = ImageHealthcheck{.test = check.test,
                                              .interval = std::chrono::nanoseconds(check.interval),
                                              .timeout = std::chrono::nanoseconds(check.timeout),
                                              .start_period = std::chrono::nanoseconds(check.start_period),
                                              .retries = check.retries};
    }
    return out;
}

}  // namespace nodeagent::runtime::containerd
