// Limits of containers as text: "nofile=32768:65536,core=0".

#include <algorithm>
#include <array>
#include <optional>

#include <nlohmann/json.hpp>

#include "agent/base/strings.hpp"
#include "agent/config/values.hpp"

namespace nodeagent::config::values {

namespace {

constexpr std::array<std::string_view, 15> kUlimits{"core",    "cpu",      "data",   "fsize",      "locks",
                                                    "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                                                    "rss",     "rtprio",   "rttime", "sigpending", "stack"};

/// "nofile=1024:2048", "core=0"; -1 is no limit.
std::optional<DefaultUlimit> ulimit_of(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::vector<std::string_view> values = split(text.substr(equals + 1), ':');
    const std::string_view name = trimmed(text.substr(0, equals));
    if (values.size() > 2 || std::find(kUlimits.begin(), kUlimits.end(), name) == kUlimits.end()) return std::nullopt;
    const auto soft = parse_integer(trimmed(values.front()));
    const auto hard = parse_integer(trimmed(values.back()));
    if (!soft || !hard || *soft < -1 || *hard < -1) return std::nullopt;
    if (*hard != -1 && (*soft == -1 || *soft > *hard)) return std::nullopt;
    return DefaultUlimit{.name = std::string(name), .soft = *soft, .hard = *hard};
}

}  // namespace

Found read_text(const Reading& reading, Ulimits& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    Ulimits limits;
    for (const std::string_view part : split(text, ',')) {
        auto limit = ulimit_of(trimmed(part));
        if (!limit) {
            reading.warn("\"" + std::string(part) +
                         "\" is not a limit like nofile=32768:65536 (soft not above hard, -1 for none); ignored");
            return Found::Unset;
        }
        limits.push_back(*std::move(limit));
    }
    out = std::move(limits);
    return Found::Set;
}

Found read_json(const Reading& reading, Ulimits& out, const Json& value) {
    std::string text;
    const Found found = read_json(reading, text, value);
    return found == Found::Set ? read_text(reading, out, text) : found;
}

std::string show(const Ulimits& value) {
    std::vector<std::string> parts;
    for (const DefaultUlimit& limit : value) {
        parts.push_back(limit.name + "=" + std::to_string(limit.soft) + ":" + std::to_string(limit.hard));
    }
    return join(parts, ",");
}

}  // namespace nodeagent::config::values
