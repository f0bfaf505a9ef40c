#include "runtime/logs/tag.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "agent/base/strings.hpp"
#include "runtime/logs/pattern.hpp"

namespace nodeagent::runtime::logs {
namespace {

Error bad_template(std::string what) {
    return Error{.kind = ErrorKind::Malformed, .what = "template: log-tag: " + std::move(what)};
}

std::string short_id(std::string_view id) {
    if (const std::size_t colon = id.find(':'); colon != std::string_view::npos) id.remove_prefix(colon + 1);
    return std::string(id.substr(0, 12));
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::optional<std::string> field(const LoggerConfig& config, std::string_view name) {
    if (name == ".ID") return short_id(config.container_id);
    if (name == ".FullID") return config.container_id;
    if (name == ".Name") {
        const std::string& full = config.container_name;
        return full.starts_with('/') ? full.substr(1) : full;
    }
    if (name == ".Command") return config.command;
    if (name == ".ImageID") return short_id(config.image_id);
    if (name == ".ImageFullID") return config.image_id;
    if (name == ".ImageName") return config.image;
    if (name == ".Hostname") return host_name();
    if (name == ".DaemonName") return "ecs-node-agent";
    return std::nullopt;
}

Result<std::string> action(const LoggerConfig& config, std::string_view inside) {
    const std::vector<std::string_view> stages = split(inside, '|');
    auto value = field(config, trimmed(stages.front()));
    if (!value) return bad_template("\"{{" + std::string(inside) + "}}\" is not supported");
    for (std::size_t i = 1; i < stages.size(); ++i) {
        const std::string_view function = trimmed(stages[i]);
        if (function == "lower") {
            *value = lower(*value);
        } else if (function == "upper") {
            std::transform(value->begin(), value->end(), value->begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
        } else {
            return bad_template("function \"" + std::string(function) + "\" not defined");
        }
    }
    return *value;
}

std::string_view wanted(const LoggerConfig& config, const std::string& key) {
    const auto found = config.options.find(key);
    return found == config.options.end() ? std::string_view() : std::string_view(found->second);
}

void choose(std::map<std::string, std::string>& out, const std::map<std::string, std::string>& from,
            std::string_view names, std::string_view expression) {
    for (const std::string_view name : split(names, ',')) {
        if (const auto found = from.find(std::string(name)); found != from.end())
            out.insert_or_assign(found->first, found->second);
    }
    const auto pattern = compile_pattern(std::string(expression));
    if (!pattern || *pattern == nullptr) return;
    for (const auto& [name, value] : from) {
        if ((*pattern)->matches(name)) out.insert_or_assign(name, value);
    }
}

}  // namespace

Result<std::string> log_tag(const LoggerConfig& config, std::string_view otherwise) {
    std::string_view text = wanted(config, "tag");
    if (text.empty()) text = otherwise;
    std::string out;
    while (!text.empty()) {
        const std::size_t open = text.find("{{");
        out += text.substr(0, open);
        if (open == std::string_view::npos) break;
        text.remove_prefix(open + 2);
        const std::size_t close = text.find("}}");
        if (close == std::string_view::npos) return bad_template("unclosed action");
        auto value = action(config, text.substr(0, close));
        if (!value) return value;
        out += *value;
        text.remove_prefix(close + 2);
    }
    return out;
}

std::map<std::string, std::string> extra_attributes(const LoggerConfig& config) {
    std::map<std::string, std::string> out;
    choose(out, config.labels, wanted(config, "labels"), wanted(config, "labels-regex"));
    choose(out, config.env, wanted(config, "env"), wanted(config, "env-regex"));
    return out;
}

}  // namespace nodeagent::runtime::logs
