#include "runtime/logs/config.hpp"

#include <array>
#include <cmath>
#include <cstdlib>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/logs/pattern.hpp"
#include "runtime/logs/tag.hpp"

namespace nodeagent::runtime::logs {
namespace {

Error refused(std::string what) { return Error{.kind = ErrorKind::Malformed, .what = std::move(what)}; }

std::string_view option(const LogOptions& options, const std::string& key) {
    const auto found = options.find(key);
    return found == options.end() ? std::string_view() : std::string_view(found->second);
}

// What Go says about a text that is no boolean.
std::string not_boolean(std::string_view text) {
    return "strconv.ParseBool: parsing \"" + std::string(text) + "\": invalid syntax";
}

std::optional<double> leading_number(std::string_view text, std::string_view& rest) {
    std::size_t end = 0;
    bool point = false;
    while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || (text[end] == '.' && !point))) {
        point = point || text[end] == '.';
        ++end;
    }
    if (end == 0 || (end == 1 && point)) return std::nullopt;
    rest = text.substr(end);
    return std::strtod(std::string(text.substr(0, end)).c_str(), nullptr);
}

std::optional<std::uint64_t> scaled(std::string_view text, double step) {
    std::string_view rest;
    const auto number = leading_number(trimmed(text), rest);
    if (!number) return std::nullopt;
    std::string unit = lower(trimmed(rest));
    double factor = 1;
    if (!unit.empty() && unit != "b") {
        const std::size_t power = std::string_view("kmgtp").find(unit.front());
        if (power == std::string_view::npos) return std::nullopt;
        const std::string_view after = std::string_view(unit).substr(1);
        if (after != "" && after != "b" && after != "ib") return std::nullopt;
        factor = std::pow(step, static_cast<double>(power + 1));
    }
    const double bytes = *number * factor;
    if (!(bytes < 9.0e18)) return std::nullopt;
    return static_cast<std::uint64_t>(bytes);
}

Result<void> only(const LogOptions& options, std::string_view driver, std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : options) {
        if (key == "mode" || key == "max-buffer-size") continue;
        bool found = false;
        for (const std::string_view name : known) found = found || key == name;
        if (!found) return refused("unknown log opt '" + key + "' for " + std::string(driver) + " log driver");
    }
    return {};
}

Result<void> common_options(const LogOptions& options) {
    const std::string_view mode = option(options, "mode");
    if (!mode.empty() && mode != "blocking" && mode != "non-blocking") {
        return refused("logger: logging mode not supported: " + std::string(mode));
    }
    if (options.contains("max-buffer-size")) {
        if (mode != "non-blocking") {
            return refused("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
        }
        const std::string_view size = option(options, "max-buffer-size");
        if (!ram_bytes(size)) {
            return refused("error parsing option max-buffer-size: invalid size: '" + std::string(size) + "'");
        }
    }
    return {};
}

Result<void> awslogs_options(const LogOptions& options) {
    if (auto known = only(options, "awslogs",
                          {"tag", "awslogs-group", "awslogs-stream", "awslogs-create-group", "awslogs-create-stream",
                           "awslogs-region", "awslogs-endpoint", "awslogs-datetime-format", "awslogs-multiline-pattern",
                           "awslogs-credentials-endpoint", "awslogs-force-flush-interval-seconds",
                           "awslogs-max-buffered-events", "awslogs-format"});
        !known) {
        return known;
    }
    if (option(options, "awslogs-group").empty()) return refused("must specify a value for log opt 'awslogs-group'");
    for (const char* key : {"awslogs-create-group", "awslogs-create-stream"}) {
        const std::string_view value = option(options, key);
        if (!value.empty() && !go_bool(value)) {
            return refused("must specify valid value for log opt '" + std::string(key) + "': " + not_boolean(value));
        }
    }
    for (const char* key : {"awslogs-force-flush-interval-seconds", "awslogs-max-buffered-events"}) {
        const std::string_view value = option(options, key);
        if (value.empty()) continue;
        const auto number = parse_integer(value.starts_with('+') ? value.substr(1) : value);
        if (!number || *number <= 0) {
            return refused("must specify a positive integer for log opt '" + std::string(key) +
                           "': " + std::string(value));
        }
    }
    const bool datetime = options.contains("awslogs-datetime-format");
    const bool multiline = options.contains("awslogs-multiline-pattern");
    if (datetime && multiline) {
        return refused(
            "you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time");
    }
    if (const std::string_view format = option(options, "awslogs-format"); !format.empty()) {
        if (format != "json/emf") return refused("unsupported log format '" + std::string(format) + "'");
        if (datetime || multiline) {
            return refused(
                "you cannot configure log opt 'awslogs-datetime-format' or 'awslogs-multiline-pattern' when log opt "
                "'awslogs-format' is set to 'json/emf'");
        }
    }
    auto pattern = multiline_pattern(options);
    if (!pattern) return std::move(pattern).error();
    return {};
}

Result<void> json_file_options(const LogOptions& options) {
    if (auto known = only(options, "json-file",
                          {"env", "env-regex", "labels", "labels-regex", "tag", "max-file", "max-size", "compress"});
        !known) {
        return known;
    }
    if (options.contains("max-size")) {
        const auto size = human_bytes(option(options, "max-size"));
        if (!size) return refused("invalid size: '" + std::string(option(options, "max-size")) + "'");
        if (*size == 0) return refused("max-size must be a positive number");
    }
    long long files = 1;
    if (options.contains("max-file")) {
        const std::string_view text = option(options, "max-file");
        const auto number = parse_integer(text);
        if (!number) return refused("strconv.Atoi: parsing \"" + std::string(text) + "\": invalid syntax");
        files = *number;
        if (files < 1) return refused("max-file cannot be less than 1");
    }
    if (options.contains("compress")) {
        const auto compress = go_bool(option(options, "compress"));
        if (!compress) return refused(not_boolean(option(options, "compress")));
        if (*compress && (files == 1 || !options.contains("max-size"))) {
            return refused("compress cannot be true when max-file is less than 2 or max-size is not set");
        }
    }
    return {};
}

}  // namespace

Result<void> validate(std::string_view driver, const LogOptions& options) {
    if (driver == "none") return {};
    if (auto common = common_options(options); !common) return common;
    Result<void> own;
    if (driver == "awslogs") {
        own = awslogs_options(options);
    } else if (driver == "json-file") {
        own = json_file_options(options);
    } else if (driver == "journald") {
        own = only(options, driver, {"env", "env-regex", "labels", "labels-regex", "tag"});
    } else {
        own = refused("logger: no log driver named '" + std::string(driver) + "' is registered");
    }
    if (!own) return own;
    for (const char* key : {"env-regex", "labels-regex"}) {
        if (auto pattern = compile_pattern(std::string(option(options, key))); !pattern) {
            return std::move(pattern).error();
        }
    }
    LoggerConfig example;
    example.options = options;
    if (auto tag = log_tag(example, ""); !tag) return std::move(tag).error();
    return {};
}

std::string encode_config(const LoggerConfig& config) { return encode(config); }

Result<LoggerConfig> decode_config(std::string_view text) { return decode<LoggerConfig>(text); }

std::optional<std::uint64_t> ram_bytes(std::string_view text) { return scaled(text, 1024); }

std::optional<std::uint64_t> human_bytes(std::string_view text) { return scaled(text, 1000); }

std::optional<bool> go_bool(std::string_view text) {
    constexpr std::array kTrue{"1", "t", "T", "TRUE", "true", "True"};
    constexpr std::array kFalse{"0", "f", "F", "FALSE", "false", "False"};
    for (const char* word : kTrue) {
        if (text == word) return true;
    }
    for (const char* word : kFalse) {
        if (text == word) return false;
    }
    return std::nullopt;
}

}  // namespace nodeagent::runtime::logs
