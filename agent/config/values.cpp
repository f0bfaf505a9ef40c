#include "agent/config/values.hpp"

#include <arpa/inet.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <type_traits>
#include <utility>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "agent/base/time_format.hpp"

namespace nodeagent::config::values {

namespace {

template <class Enum>
struct Word {
    std::string_view text;
    Enum value;
};
template <class Enum>
Word(const char*, Enum) -> Word<Enum>;  // clang learned to see this by itself in release 17

constexpr std::array kPullWords{Word{"default", ImagePullBehavior::Default}, Word{"always", ImagePullBehavior::Always},
                                Word{"once", ImagePullBehavior::Once},
                                Word{"prefer-cached", ImagePullBehavior::PreferCached}};
constexpr std::array kPropagateWords{Word{"none", PropagateTags::None},
                                     Word{"ec2_instance", PropagateTags::Ec2Instance}};
constexpr std::array kIpWords{Word{"auto", IpCompatibility::Auto}, Word{"ipv4", IpCompatibility::Ipv4},
                              Word{"ipv6", IpCompatibility::Ipv6}};
constexpr std::array kCloudWatchWords{Word{"off", CloudWatchMetrics::Off},
                                      Word{"standard", CloudWatchMetrics::Standard},
                                      Word{"detailed", CloudWatchMetrics::Detailed}};
constexpr std::array kRuntimeWords{Word{"docker", ContainerRuntime::Docker},
                                   Word{"containerd", ContainerRuntime::Containerd},
                                   Word{"auto", ContainerRuntime::Auto}};
constexpr std::array kLevelWords{Word{"debug", log::Level::Debug},   Word{"info", log::Level::Info},
                                 Word{"warn", log::Level::Warn},     Word{"error", log::Level::Error},
                                 Word{"crit", log::Level::Critical}, Word{"none", log::Level::None}};
constexpr std::array kFormatWords{Word{"logfmt", log::Format::Logfmt}, Word{"json", log::Format::Json}};
constexpr std::array kRolloverWords{Word{"size", Rollover::Size}, Word{"hourly", Rollover::Hourly},
                                    Word{"none", Rollover::None}};

template <class Words, class Enum = decltype(Words::value_type::value)>
std::optional<Enum> value_of_word(const Words& words, std::string_view text) {
    for (const auto& word : words) {
        if (word.text == text) return word.value;
    }
    return std::nullopt;
}

template <class Words, class Enum>
std::string word_of(const Words& words, Enum value) {
    for (const auto& word : words) {
        if (word.value == value) return std::string(word.text);
    }
    return {};
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kEnoughToRecognise = 60;
    std::string out;
    append_json_string(out, truncated(text, kEnoughToRecognise));
    return out;
}

Found malformed(const Reading& reading, std::string_view what) {
    if (reading.setting.fatal_when_malformed) {
        reading.fail(what);
    } else {
        reading.warn(std::string(what) + "; ignored");
    }
    return Found::Unset;
}

Found wrong_type(const Reading& reading, std::string_view expected, const Json& found) {
    reading.fail(json_detail::mismatch("", expected, found).what.substr(std::string_view("the document: ").size()));
    return Found::Unset;
}

template <class T>
std::string shown_bound(std::int64_t bound) {
    if constexpr (std::same_as<T, std::chrono::nanoseconds>) return go_duration(std::chrono::nanoseconds(bound));
    return std::to_string(bound);
}

// `value` is not zero: zero is "unset" and has no bounds.
template <class T>
Found bounded(const Reading& reading, T& out, T value) {
    std::int64_t number = 0;
    if constexpr (std::same_as<T, std::chrono::nanoseconds>) {
        number = value.count();
    } else {
        number = value;
    }
    const Bounds& bounds = reading.setting.bounds;
    const auto accept = [&out](std::int64_t n) {
        out = static_cast<T>(n);
        return Found::Set;
    };
    if (number >= bounds.low && number <= bounds.high) return accept(number);
    const OutOfBounds rule = reading.origin == Origin::Variable ? bounds.in_environment : bounds.in_file;
    const std::int64_t nearest = number < bounds.low ? bounds.low : bounds.high;
    const std::string complaint = shown_bound<T>(number) +
                                  (number < bounds.low ? " is below the minimum of " : " is above the maximum of ") +
                                  shown_bound<T>(nearest);
    switch (rule) {
        case OutOfBounds::Keep: return accept(number);
        case OutOfBounds::Clamp: reading.warn(complaint + "; that is used instead"); return accept(nearest);
        case OutOfBounds::Reset: reading.warn(complaint + "; the default is used instead"); return Found::Blank;
        case OutOfBounds::Unset: reading.warn(complaint + "; ignored"); return Found::Unset;
        case OutOfBounds::Fatal: reading.fail(complaint); return Found::Unset;
    }
    return Found::Unset;
}

// The reference's list decoder stops after the first JSON value; what follows it is not looked at.
std::string_view first_value(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c == '[' || c == '{') ++depth;
        if ((c == ']' || c == '}') && --depth == 0) return text.substr(0, i + 1);
    }
    return text;
}

std::optional<Json> parse_for(const Reading& reading, std::string_view text, std::string_view expected) {
    Result<Json> parsed = parse_json(text);
    if (parsed) return std::move(*parsed);
    malformed(reading, "expected " + std::string(expected) + ", got " + parsed.error().what);
    return std::nullopt;
}

std::optional<std::uint16_t> port_of(const Json& element) {
    if (!element.is_number_unsigned()) return std::nullopt;
    const auto number = element.get<std::uint64_t>();
    if (number > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(number);
}

std::optional<std::string> word_of_json(const Json& element) {
    if (!element.is_string()) return std::nullopt;
    return element.get<std::string>();
}

// Elements before the first bad one are kept, as the reference does; `complain` reports that one.
template <class List, class Element, class Complain>
Found take_list(List& out, const Json& list, Element element, const Complain& complain) {
    List taken;
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto one = element(list[i]);
        if (!one) {
            complain("element " + std::to_string(i) + " is unusable");
            break;
        }
        taken.push_back(std::move(*one));
    }
    if (taken.empty()) return Found::Unset;
    out = std::move(taken);
    return Found::Set;
}

template <class List, class Element>
Found list_from_text(const Reading& reading, List& out, std::string_view text, std::string_view expected,
                     Element element) {
    if (trimmed(text).empty()) return Found::Unset;
    const std::optional<Json> list = parse_for(reading, first_value(text), expected);
    if (!list || list->is_null()) return Found::Unset;
    if (!list->is_array()) return malformed(reading, "expected " + std::string(expected));
    return take_list(out, *list, element, [&](const std::string& what) {
        const std::string complaint = what + ", expected " + std::string(expected);
        if (reading.setting.fatal_when_malformed) {
            reading.fail(complaint);
        } else {
            reading.warn(complaint + "; the elements before it are kept");
        }
    });
}

template <class List, class Element>
Found list_from_json(const Reading& reading, List& out, const Json& value, std::string_view expected, Element element) {
    if (!value.is_array()) return wrong_type(reading, expected, value);
    return take_list(out, value, element,
                     [&](const std::string& what) { reading.fail(what + ", expected " + std::string(expected)); });
}

constexpr std::string_view kPortList = "a JSON array of ports like [22,80]";
constexpr std::string_view kWordList = "a JSON array of strings like [\"a\",\"b\"]";
constexpr std::string_view kListMap = "a JSON object of lists like {\"name\":[\"a\",\"b\"]}";
constexpr std::string_view kLabelMap = "a JSON object of strings like {\"name\":\"value\"}";

Found take_labels(const Reading& reading, Labels& out, const Json& object) {
    Labels taken;
    for (const auto& [name, value] : object.items()) {
        if (!value.is_string() && !value.is_null()) {
            // the value stays out of the message: tags and attributes are the operator's business
            return reading.origin == Origin::File ? (reading.fail(name + ": expected a string"), Found::Unset)
                                                  : malformed(reading, name + ": expected a string");
        }
        taken[name] = value.is_null() ? std::string() : value.get<std::string>();
    }
    if (taken.empty()) return Found::Unset;
    out = std::move(taken);
    return Found::Set;
}

Found take_lists(const Reading& reading, Lists& out, const Json& object) {
    const auto wrong = [&reading](const std::string& what) {
        const std::string why = what + ": expected a list of strings";
        return reading.origin == Origin::File ? (reading.fail(why), Found::Unset) : malformed(reading, why);
    };
    Lists taken;
    for (const auto& [name, list] : object.items()) {
        if (!list.is_array()) return wrong(name);
        for (const Json& item : list) {
            if (!item.is_string()) return wrong(name);
            taken[name].push_back(item.get<std::string>());
        }
    }
    if (taken.empty()) return Found::Unset;
    out = std::move(taken);
    return Found::Set;
}

template <class T>
std::optional<T> integer_of(const Json& value) {
    if (!value.is_number_integer()) return std::nullopt;
    if (value.is_number_unsigned() &&
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
        return std::nullopt;
    }
    const auto number = value.get<std::int64_t>();
    if (number < static_cast<std::int64_t>(std::numeric_limits<T>::min())) return std::nullopt;
    return static_cast<T>(number);
}

template <class Words, class Enum>
Found word_from_text(const Reading& reading, Enum& out, const Words& words, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const auto value = value_of_word(words, text);
    if (!value) return malformed(reading, quoted(text) + " is not one of " + std::string(reading.setting.expected));
    out = *value;
    return Found::Set;
}

}  // namespace

std::optional<bool> parse_bool(std::string_view text) {
    text = trimmed(text);
    for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
        if (text == yes) return true;
    }
    for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
        if (text == no) return false;
    }
    return std::nullopt;
}

bool is_cidr(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string address(text.substr(0, slash));
    const std::optional<long long> bits = parse_integer(text.substr(slash + 1));
    std::array<unsigned char, 16> binary{};
    if (!bits || *bits < 0) return false;
    if (::inet_pton(AF_INET, address.c_str(), binary.data()) == 1) return *bits <= 32;
    return ::inet_pton(AF_INET6, address.c_str(), binary.data()) == 1 && *bits <= 128;
}

// ---- from text

Found read_text(const Reading& reading, std::string& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    if (reading.setting.trimmed) text = trimmed(text);
    if (text.empty()) return Found::Blank;
    out = text;
    return Found::Set;
}

Found read_text(const Reading&, Secret& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    out = Secret(std::string(text));
    return Found::Set;
}

Found read_text(const Reading& reading, Toggle& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const std::optional<bool> value = parse_bool(text);
    if (!value) return malformed(reading, quoted(text) + " is not a boolean; use true or false");
    out.set = *value;
    return Found::Set;
}

Found read_text(const Reading&, bool& out, std::string_view text) {
    if (!parse_bool(text).value_or(false)) return Found::Unset;
    out = true;
    return Found::Set;
}

Found read_text(const Reading& reading, int& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    std::string_view digits = reading.setting.trimmed ? trimmed(text) : text;
    if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
    const std::optional<long long> value = parse_integer(digits);
    if (!value || *value > std::numeric_limits<int>::max() || *value < std::numeric_limits<int>::min()) {
        return malformed(reading, quoted(text) + " is not an integer");
    }
    return *value == 0 ? Found::Unset : bounded(reading, out, static_cast<int>(*value));
}

Found read_text(const Reading& reading, std::uint16_t& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const std::optional<long long> value = text.starts_with('-') ? std::nullopt : parse_integer(text);
    if (!value || *value > 65535) return malformed(reading, quoted(text) + " is not an integer from 0 to 65535");
    return *value == 0 ? Found::Unset : bounded(reading, out, static_cast<std::uint16_t>(*value));
}

Found read_text(const Reading& reading, double& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const std::string copy(text);
    char* end = nullptr;
    const double value = std::strtod(copy.c_str(), &end);
    if (end != copy.c_str() + copy.size() || !std::isfinite(value)) {
        return malformed(reading, quoted(text) + " is not a number");
    }
    if (value <= 0) return malformed(reading, quoted(text) + " is not above zero");
    out = value;
    return Found::Set;
}

Found read_text(const Reading& reading, std::chrono::nanoseconds& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const std::optional<std::chrono::nanoseconds> value = parse_go_duration(text);
    if (!value) return malformed(reading, quoted(text) + " is not a duration like 1h30m or 10s");
    return value->count() == 0 ? Found::Unset : bounded(reading, out, *value);
}

Found read_text(const Reading& reading, Ports& out, std::string_view text) {
    return list_from_text(reading, out, text, kPortList, port_of);
}

Found read_text(const Reading& reading, Words& out, std::string_view text) {
    return list_from_text(reading, out, text, kWordList, word_of_json);
}

Found read_text(const Reading& reading, Labels& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const std::optional<Json> object = parse_for(reading, text, kLabelMap);
    if (!object || object->is_null()) return Found::Unset;
    if (!object->is_object()) return malformed(reading, "expected " + std::string(kLabelMap));
    return take_labels(reading, out, *object);
}

Found read_text(const Reading& reading, Lists& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const std::optional<Json> object = parse_for(reading, text, kListMap);
    if (!object || object->is_null()) return Found::Unset;
    if (!object->is_object()) return malformed(reading, "expected " + std::string(kListMap));
    return take_lists(reading, out, *object);
}

// Any other word means "default", which is also what an absent value means.
Found read_text(const Reading&, ImagePullBehavior& out, std::string_view text) {
    const auto value = value_of_word(kPullWords, text);
    if (!value || *value == ImagePullBehavior::Default) return Found::Unset;
    out = *value;
    return Found::Set;
}

Found read_text(const Reading&, PropagateTags& out, std::string_view text) {
    if (value_of_word(kPropagateWords, text) != PropagateTags::Ec2Instance) return Found::Unset;
    out = PropagateTags::Ec2Instance;
    return Found::Set;
}

Found read_text(const Reading& reading, IpCompatibility& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const auto value = value_of_word(kIpWords, lower(trimmed(text)));
    if (!value || *value == IpCompatibility::Auto) {
        return malformed(reading, quoted(text) + " is neither ipv4 nor ipv6, so the host's routes decide");
    }
    out = *value;
    return Found::Set;
}

Found read_text(const Reading& reading, CloudWatchMetrics& out, std::string_view text) {
    return word_from_text(reading, out, kCloudWatchWords, trimmed(text));
}
Found read_text(const Reading& reading, ContainerRuntime& out, std::string_view text) {
    return word_from_text(reading, out, kRuntimeWords, trimmed(text));
}
Found read_text(const Reading& reading, log::Level& out, std::string_view text) {
    return word_from_text(reading, out, kLevelWords, text);
}
Found read_text(const Reading& reading, log::Format& out, std::string_view text) {
    return word_from_text(reading, out, kFormatWords, text);
}
// The reference rolls by the hour for every word it does not know.
Found read_text(const Reading& reading, Rollover& out, std::string_view text) {
    if (text.empty()) return Found::Unset;
    const auto value = value_of_word(kRolloverWords, text);
    if (!value)
        reading.warn(quoted(text) + " is not one of " + std::string(reading.setting.expected) + "; hourly is used");
    out = value.value_or(Rollover::Hourly);
    return Found::Set;
}

// ---- from JSON

Found read_json(const Reading& reading, std::string& out, const Json& value) {
    if (!value.is_string()) return wrong_type(reading, "a string", value);
    return read_text(reading, out, value.get_ref<const std::string&>());
}

Found read_json(const Reading&, Secret& out, const Json& value) {
    out = Secret(dump_json(value));
    return Found::Set;
}

Found read_json(const Reading& reading, Toggle& out, const Json& value) {
    if (!value.is_boolean()) return wrong_type(reading, "true, false or null", value);
    out.set = value.get<bool>();
    return Found::Set;
}

Found read_json(const Reading& reading, bool& out, const Json& value) {
    if (!value.is_boolean()) return wrong_type(reading, "a boolean", value);
    if (!value.get<bool>()) return Found::Unset;
    out = true;
    return Found::Set;
}

Found read_json(const Reading& reading, int& out, const Json& value) {
    const std::optional<int> number = integer_of<int>(value);
    if (!number) return wrong_type(reading, "an integer", value);
    return *number == 0 ? Found::Unset : bounded(reading, out, *number);
}

Found read_json(const Reading& reading, std::uint16_t& out, const Json& value) {
    const std::optional<std::uint16_t> number = integer_of<std::uint16_t>(value);
    if (!number) return wrong_type(reading, "an integer from 0 to 65535", value);
    return *number == 0 ? Found::Unset : bounded(reading, out, *number);
}

Found read_json(const Reading& reading, std::chrono::nanoseconds& out, const Json& value) {
    const std::optional<std::int64_t> number = integer_of<std::int64_t>(value);
    if (!number) return wrong_type(reading, "an integer of nanoseconds", value);
    return *number == 0 ? Found::Unset : bounded(reading, out, std::chrono::nanoseconds(*number));
}

Found read_json(const Reading& reading, Ports& out, const Json& value) {
    return list_from_json(reading, out, value, kPortList, port_of);
}

Found read_json(const Reading& reading, Words& out, const Json& value) {
    return list_from_json(reading, out, value, kWordList, word_of_json);
}

Found read_json(const Reading& reading, Labels& out, const Json& value) {
    if (!value.is_object()) return wrong_type(reading, kLabelMap, value);
    return take_labels(reading, out, value);
}

Found read_json(const Reading& reading, Lists& out, const Json& value) {
    if (!value.is_object()) return wrong_type(reading, kListMap, value);
    return take_lists(reading, out, value);
}

Found read_json(const Reading& reading, ImagePullBehavior& out, const Json& value) {
    const std::optional<int> number = integer_of<int>(value);
    if (!number || *number < 0 || *number > 3)
        return wrong_type(reading, "0 default, 1 always, 2 once or 3 prefer-cached", value);
    if (*number == 0) return Found::Unset;
    out = static_cast<ImagePullBehavior>(*number);
    return Found::Set;
}

Found read_json(const Reading& reading, PropagateTags& out, const Json& value) {
    const std::optional<int> number = integer_of<int>(value);
    if (!number || *number < 0 || *number > 1) return wrong_type(reading, "0 none or 1 ec2_instance", value);
    if (*number == 0) return Found::Unset;
    out = PropagateTags::Ec2Instance;
    return Found::Set;
}

Found read_json(const Reading& reading, IpCompatibility& out, const Json& value) {
    if (!value.is_string()) return wrong_type(reading, "\"ipv4\" or \"ipv6\"", value);
    return read_text(reading, out, value.get_ref<const std::string&>());
}

Found read_json(const Reading& reading, CloudWatchMetrics& out, const Json& value) {
    if (!value.is_string()) return wrong_type(reading, reading.setting.expected, value);
    return read_text(reading, out, value.get_ref<const std::string&>());
}

Found read_json(const Reading& reading, ContainerRuntime& out, const Json& value) {
    if (!value.is_string()) return wrong_type(reading, reading.setting.expected, value);
    return read_text(reading, out, value.get_ref<const std::string&>());
}

// ---- shown

std::string show(const std::string& value) { return value; }
std::string show(const Secret& value) { return value.empty() ? std::string() : "<redacted>"; }
std::string show(const Toggle& value) { return show(value.enabled()); }
std::string show(bool value) { return value ? "true" : "false"; }
std::string show(int value) { return std::to_string(value); }
std::string show(std::uint16_t value) { return std::to_string(value); }
std::string show(double value) { return dump_json(Json(value)); }
std::string show(std::chrono::nanoseconds value) { return go_duration(value); }
std::string show(const Ports& value) { return dump_json(Json(value)); }
std::string show(const Words& value) { return dump_json(Json(value)); }
std::string show(const Lists& value) { return value.empty() ? std::string() : dump_json(Json(value)); }
std::string show(const Labels& value) { return value.empty() ? std::string() : dump_json(Json(value)); }
std::string show(ImagePullBehavior value) { return word_of(kPullWords, value); }
std::string show(PropagateTags value) { return word_of(kPropagateWords, value); }
std::string show(IpCompatibility value) { return word_of(kIpWords, value); }
std::string show(CloudWatchMetrics value) { return word_of(kCloudWatchWords, value); }
std::string show(ContainerRuntime value) { return word_of(kRuntimeWords, value); }
std::string show(log::Level value) { return word_of(kLevelWords, value); }
std::string show(log::Format value) { return word_of(kFormatWords, value); }
std::string show(Rollover value) { return word_of(kRolloverWords, value); }

}  // namespace nodeagent::config::values
