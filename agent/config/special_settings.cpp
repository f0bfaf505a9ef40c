#include "agent/config/special_settings.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <chrono>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/strings.hpp"
#include "agent/config/values.hpp"

namespace nodeagent::config {

using nlohmann::json;

// Explicit "false" counts: the supervisor switches the feature off this way (config.md 1.1), though its default is on.
Found read_ebs(const Reading&, Config& config, std::string_view text) {
    const std::optional<bool> value = values::parse_bool(text);
    if (!value) return Found::Unset;
    config.ebs_task_attach = *value;
    return Found::Set;
}

Found read_checkpoint(const Reading& reading, Config& config, std::string_view text) {
    Toggle toggle;
    const Found found = values::read_text(reading, toggle, text);
    if (found == Found::Set) config.checkpoint = toggle.enabled();
    return found;
}

Found read_checkpoint_json(const Reading& reading, Config& config, const json& value) {
    Toggle toggle;
    const Found found = values::read_json(reading, toggle, value);
    if (found == Found::Set) config.checkpoint = toggle.enabled();
    return found;
}

Found read_ipv6_exclusion(const Reading& reading, Config& config, std::string_view text) {
    Toggle toggle;
    const Found found = values::read_text(reading, toggle, text);
    if (found == Found::Set) config.exclude_ipv6_port_binding = toggle.enabled();
    return found;
}

Found read_ipv6_exclusion_json(const Reading& reading, Config& config, const json& value) {
    Toggle toggle;
    const Found found = values::read_json(reading, toggle, value);
    if (found == Found::Set) config.exclude_ipv6_port_binding = toggle.enabled();
    return found;
}

Found read_port_range(const Reading& reading, Config& config, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const std::vector<std::string_view> ends = split(text, '-');
    if (ends.size() == 2) {
        const auto first = parse_integer(trimmed(ends[0]));
        const auto last = parse_integer(trimmed(ends[1]));
        if (first && last && *first >= 1 && *first <= *last && *last <= 65535) {
            config.dynamic_port_first = static_cast<std::uint16_t>(*first);
            config.dynamic_port_last = static_cast<std::uint16_t>(*last);
            return Found::Set;
        }
    }
    reading.warn("not a port range like 49153-65535 (1 to 65535, the first not above the last); ignored");
    return Found::Unset;
}

Found read_port_range_json(const Reading& reading, Config& config, const json& value) {
    std::string text;
    const Found found = values::read_json(reading, text, value);
    return found == Found::Set ? read_port_range(reading, config, text) : found;
}

std::string show_port_range(const Config& config) {
    return std::to_string(config.dynamic_port_first) + "-" + std::to_string(config.dynamic_port_last);
}

std::string show_rate(const Config& config) {
    return std::to_string(config.metadata_steady_rate) + "," + std::to_string(config.metadata_burst);
}

// The reference splits at commas and trims nothing.
Found read_image_exclusions(const Reading&, Config& config, std::string_view text) {
    if (text.empty()) return Found::Unset;
    config.exclude_untracked_images.clear();
    for (const std::string_view image : split(text, ',')) config.exclude_untracked_images.emplace_back(image);
    return Found::Set;
}

std::string show_image_exclusions(const Config& config) { return join(config.exclude_untracked_images, ","); }

namespace {

Found check_networks(const Reading& reading, Config& config, Found found) {
    if (found != Found::Set) return found;
    for (const std::string& network : config.awsvpc_additional_local_routes) {
        if (values::is_cidr(network)) continue;
        reading.fail("\"" + network + "\" is not a network like 10.0.0.0/16");
        return Found::Unset;
    }
    return found;
}

}  // namespace

Found read_routes(const Reading& reading, Config& config, std::string_view text) {
    return check_networks(reading, config, values::read_text(reading, config.awsvpc_additional_local_routes, text));
}

Found read_routes_json(const Reading& reading, Config& config, const json& value) {
    return check_networks(reading, config, values::read_json(reading, config.awsvpc_additional_local_routes, value));
}

Found read_local_address_json(const Reading& reading, Config& config, const json& value) {
    const Found found = values::read_json(reading, config.override_awsvpc_local_ipv4_address, value);
    if (found == Found::Set && !values::is_cidr(config.override_awsvpc_local_ipv4_address)) {
        reading.fail("not a network like 10.0.0.1/16");
    }
    return found;
}

// A mistyped address must not open the port to everybody: it is fatal.
Found read_prometheus_address(const Reading& reading, Config& config, std::string_view text) {
    const std::string address(trimmed(text));
    if (address.empty()) return Found::Unset;
    in6_addr parsed{};
    if (::inet_pton(AF_INET, address.c_str(), &parsed) != 1 && ::inet_pton(AF_INET6, address.c_str(), &parsed) != 1) {
        reading.fail("not an IP address; write one of this machine's, as 127.0.0.1");
        return Found::Blank;
    }
    config.prometheus_address = address;
    return Found::Set;
}

Found read_prometheus_address_json(const Reading& reading, Config& config, const json& value) {
    std::string text;
    const Found found = values::read_json(reading, text, value);
    return found == Found::Set ? read_prometheus_address(reading, config, text) : found;
}

// "off" is a word of its own here: 0 counts as not set everywhere.
Found read_overtaking(const Reading& reading, Config& config, std::string_view text) {
    const std::string_view word = trimmed(text);
    if (word != "off" && word != "0" && word != "0s") {
        return values::read_text(reading, config.task_queue_overtake_after, text);
    }
    config.task_queue_overtake_after = std::chrono::nanoseconds(0);
    return Found::Set;
}

Found read_overtaking_json(const Reading& reading, Config& config, const json& value) {
    const bool off = (value.is_string() && value.get_ref<const std::string&>() == "off") ||
                     (value.is_number_integer() && value.get<std::int64_t>() == 0);
    if (!off) return values::read_json(reading, config.task_queue_overtake_after, value);
    config.task_queue_overtake_after = std::chrono::nanoseconds(0);
    return Found::Set;
}

std::string show_overtaking(const Config& config) {
    const auto after = config.task_queue_overtake_after;
    return after.count() == 0 ? "off" : values::show(after);
}

std::string show_parallel_pulls(const Config& config) {
    return config.image_pull_parallel == 0 ? "automatic (cores and disk)" : std::to_string(config.image_pull_parallel);
}

Found read_watermark(const Reading& reading, int& out, std::string_view text) {
    const std::string_view word = trimmed(text);
    if (word.empty()) return Found::Unset;
    if (word == "off") {
        out = 0;
        return Found::Set;
    }
    const auto percent = parse_integer(word);
    if (!percent || *percent < 1 || *percent > 99) {
        reading.warn("not a percentage from 1 to 99, nor \"off\"; ignored");
        return Found::Unset;
    }
    out = static_cast<int>(*percent);
    return Found::Set;
}

}  // namespace nodeagent::config
