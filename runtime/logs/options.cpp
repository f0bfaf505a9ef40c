#include "runtime/logs/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::logs {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 13> kAwslogs{
    "awslogs-group",           "awslogs-stream",           "awslogs-create-group",     "awslogs-create-stream",
    "awslogs-region",          "awslogs-endpoint",         "awslogs-datetime-format",  "awslogs-multiline-pattern",
    "awslogs-credentials-endpoint", "awslogs-force-flush-interval-seconds", "awslogs-max-buffered-events", "awslogs-format",
    "tag"};
constexpr std::array<std::string_view, 8> kJsonFile{"max-file", "max-size", "compress",     "env",
                                                    "env-regex", "labels",  "labels-regex", "tag"};
constexpr std::array<std::string_view, 5> kJournald{"env", "env-regex", "labels", "labels-regex", "tag"};

Error invalid(std::string what) { return Error{.kind = ErrorKind::Malformed, .what = std::move(what)}; }

Result<void> all_known(const std::string& driver, const Options& options, Names names) {
    for (const auto& [name, value] : options) {
        if (name == "mode" || name == "max-buffer-size" || name == "cache-disabled") continue;
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            return invalid("unknown log opt '" + name + "' for " + driver + " log driver");
        }
    }
    return {};
}

Result<void> valid_delivery(const Options& options) {
    const std::string mode = option(options, "mode");
    if (!mode.empty() && mode != "blocking" && mode != "non-blocking") {
        return invalid("logger: logging mode not supported: " + mode);
    }
    if (!options.contains("max-buffer-size")) return {};
    if (mode != "non-blocking") return invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    const std::string size = option(options, "max-buffer-size");
    if (!parse_size(size, true)) return invalid("error parsing option max-buffer-size: invalid size: '" + size + "'");
    return {};
}

Result<void> valid_switch(const Options& options, const char* name) {
    const std::string value = option(options, name);
    if (value.empty() || parse_go_bool(value)) return {};
    return invalid("must specify valid value for log opt '" + std::string(name) +
                   "': strconv.ParseBool: parsing \"" + value + "\": invalid syntax");
}

Result<void> valid_count(const Options& options, const char* name) {
    const std::string value = option(options, name);
    if (value.empty()) return {};
    const auto number = parse_integer(value);
    if (number && *number > 0) return {};
    return invalid("must specify a positive integer for log opt '" + std::string(name) + "': " + value);
}

Result<void> valid_awslogs(const Options& options, const std::string& region) {
    if (auto known = all_known("awslogs", options, kAwslogs); !known) return known;
    if (option(options, "awslogs-group").empty()) return invalid("must specify a value for log opt 'awslogs-group'");
    for (const char* name : {"awslogs-create-group", "awslogs-create-stream"}) {
        if (auto valid = valid_switch(options, name); !valid) return valid;
    }
    for (const char* name : {"awslogs-force-flush-interval-seconds", "awslogs-max-buffered-events"}) {
        if (auto valid = valid_count(options, name); !valid) return valid;
    }
    const bool datetime = options.contains("awslogs-datetime-format");
    const bool multiline = options.contains("awslogs-multiline-pattern");
    if (datetime && multiline) {
        return invalid(
            "you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time");
    }
    if (const std::string format = option(options, "awslogs-format"); !format.empty()) {
        if (format != "json/emf") return invalid("unsupported log format '" + format + "'");
        if (datetime || multiline) {
            return invalid("you cannot configure log opt 'awslogs-datetime-format' or 'awslogs-multiline-pattern' when log "
                           "opt 'awslogs-format' is set to 'json/emf'");
        }
    }
    if (region.empty() && option(options, "awslogs-region").empty()) {
        return invalid("awslogs: the region is not known; set the log option awslogs-region");
    }
    return {};
}

Result<void> valid_json_file(const Options& options) {
    if (auto known = all_known("json-file", options, kJsonFile); !known) return known;
    const std::string size = option(options, "max-size");
    if (options.contains("max-size")) {
        const auto bytes = parse_size(size, false);
        if (!bytes) return invalid("invalid size: '" + size + "'");
        if (*bytes <= 0) return invalid("max-size must be a positive number");
    }
    long long files = 1;
    if (options.contains("max-file")) {
        const std::string word = option(options, "max-file");
        const auto number = parse_integer(word);
        if (!number) return invalid("strconv.Atoi: parsing \"" + word + "\": invalid syntax");
        if (*number < 1) return invalid("max-file cannot be less than 1");
        files = *number;
    }
    if (auto valid = valid_switch(options, "compress"); !valid) return valid;
    if (parse_go_bool(option(options, "compress")).value_or(false) && (files == 1 || size.empty())) {
        return invalid("compress cannot be true when max-file is less than 2 or max-size is not set");
    }
    return {};
}

}  // namespace

std::string option(const Options& options, const char* name) {
    const auto found = options.find(name);
    return found == options.end() ? std::string() : found->second;
}

std::optional<bool> parse_go_bool(std::string_view text) {
    for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
        if (text == yes) return true;
    }
    for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
        if (text == no) return false;
    }
    return std::nullopt;
}

std::optional<std::int64_t> parse_size(std::string_view text, bool binary) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    if (digits == 0) return std::nullopt;
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + digits, number);
    if (failed != std::errc() || end != text.data() + digits) return std::nullopt;
    std::string unit = lower(trimmed(text.substr(digits)));
    if (unit.ends_with('b')) unit.pop_back();
    if (unit.ends_with('i')) unit.pop_back();
    double factor = 1;
    if (!unit.empty()) {
        constexpr std::string_view kUnits = "kmgtp";
        const std::size_t power = unit.size() == 1 ? kUnits.find(unit.front()) : std::string_view::npos;
        if (power == std::string_view::npos) return std::nullopt;
        factor = std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(power + 1));
    }
    const double bytes = number * factor;
    if (bytes > 9e15) return std::nullopt;
    return static_cast<std::int64_t>(bytes);
}

Delivery delivery_of(const Options& options) {
    Delivery delivery{.non_blocking = option(options, "mode") == "non-blocking"};
    if (const auto size = parse_size(option(options, "max-buffer-size"), true); size && *size > 0) delivery.ring_bytes = *size;
    return delivery;
}

Result<void> validate(const std::string& driver, const Options& options, const std::string& region) {
    if (driver == "none") return {};
    if (auto valid = valid_delivery(options); !valid) return valid;
    if (driver == "awslogs") return valid_awslogs(options, region);
    if (driver == "json-file") return valid_json_file(options);
    if (driver == "journald") return all_known(driver, options, kJournald);
    return invalid("logger: no log driver named '" + driver + "' is registered");
}

}  // namespace nodeagent::runtime::logs
