#pragma once
// THE table: one row per setting of config.md. A row gives its names, how a value is read from text and from JSON,
// bounds, what a bad value does, help, and how the effective value is shown. Loading, --help, --check-config, `ecs-node
// config` and the README's table all walk these rows.

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "agent/config/config.hpp"

namespace nodeagent::config {

enum class Group : std::uint8_t {
    Identity,
    Credentials,
    Registration,
    State,
    Engine,
    Images,
    Metadata,
    Networking,
    Telemetry,
    Logging,
    Supervisor,
};
[[nodiscard]] std::string_view title(Group group);

/// What happens to a number outside its bounds.
enum class OutOfBounds : std::uint8_t {
    Keep,   ///< it is used as it is
    Clamp,  ///< the nearest bound, with a warning
    Reset,  ///< the default, with a warning
    Unset,  ///< a warning, and the next source is asked
    Fatal,  ///< loading fails
};

/// Inclusive; durations in nanoseconds.
struct Bounds {
    std::int64_t low = std::numeric_limits<std::int64_t>::min();
    std::int64_t high = std::numeric_limits<std::int64_t>::max();
    OutOfBounds in_environment = OutOfBounds::Keep;
    OutOfBounds in_file = OutOfBounds::Keep;
};

/// What a source said about a setting.
enum class Found : std::uint8_t {
    Unset,  ///< nothing, or a value that counts as nothing (config.md 1: "", 0, false, []): ask the next source
    Set,
    Blank,  ///< white space only, or out of bounds and reset: the default applies, no further source is asked
};

struct Complaints {
    std::vector<std::string> warnings;
    std::vector<std::string> problems;
};

enum class Origin : std::uint8_t { Variable, File };  ///< File: also user data

struct Setting;

/// One value on its way from a source into a Config.
struct Reading {
    const Setting& setting;
    Origin origin;
    std::string_view source;  ///< "environment", "file /etc/...": for messages
    Complaints& complaints;
    void warn(std::string_view what) const;
    void fail(std::string_view what) const;
};

struct Setting {
    Group group = Group::Identity;
    std::string_view variable;  ///< environment variable; empty: file only
    std::string_view key;       ///< JSON key; empty: environment only
    std::string_view help;
    std::string_view kind;  ///< "duration", "list of ports": for people
    Found (*read_text)(const Reading&, Config&, std::string_view) = nullptr;
    Found (*read_json)(const Reading&, Config&, const nlohmann::json&) = nullptr;
    std::string (*show)(const Config&) = nullptr;
    Bounds bounds{};
    std::string_view default_text;      ///< when the member's initialiser is not the whole truth: "from the instance"
    std::string_view expected;          ///< words allowed, for people
    bool trimmed = false;               ///< strings only
    bool fatal_when_malformed = false;  ///< unreadable text ends loading instead of being a warning
    bool secret = false;
    bool active = true;  ///< false: accepted and checked, but this build lacks the feature

    constexpr Setting trim() const {
        Setting s = *this;
        s.trimmed = true;
        return s;
    }
    constexpr Setting or_fatal() const {
        Setting s = *this;
        s.fatal_when_malformed = true;
        return s;
    }
    constexpr Setting hidden() const {
        Setting s = *this;
        s.secret = true;
        return s;
    }
    constexpr Setting inactive() const {
        Setting s = *this;
        s.active = false;
        return s;
    }
    constexpr Setting within(Bounds b) const {
        Setting s = *this;
        s.bounds = b;
        return s;
    }
    constexpr Setting defaults_to(std::string_view text) const {
        Setting s = *this;
        s.default_text = text;
        return s;
    }
    constexpr Setting shown_by(std::string (*how)(const Config&)) const {
        Setting s = *this;
        s.show = how;
        return s;
    }
    constexpr Setting one_of(std::string_view words) const {
        Setting s = *this;
        s.expected = words;
        return s;
    }

    [[nodiscard]] constexpr std::string_view name() const { return variable.empty() ? key : variable; }
};

[[nodiscard]] std::span<const Setting> settings();
/// The default as it would be written in the environment; "" when there is none.
[[nodiscard]] std::string default_of(const Setting& setting);
/// "at least 1s, else 1s (environment) or refused (file)"; "" without bounds.
[[nodiscard]] std::string bounds_of(const Setting& setting);

}  // namespace nodeagent::config
