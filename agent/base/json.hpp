#pragma once
// decode<T>(text) and encode(value) over the field tables of json_fields.hpp; nlohmann/json underneath.
//
// Decoding: member names match without regard to case (as the reference's decoder does), exact case first; unknown
// members are ignored; null equals absent; a wrong JSON type, a number out of the member's range or a missing required
// member is Malformed and names its path ("tasks[0].containers[2].cpu: expected an integer, got a string").
// Encoding keeps the table's order and omits as Presence says.
// Supported members: bool, integers, double, std::string, Secret, std::optional<T>, std::vector<T>, std::map<string,
// T>, std::shared_ptr<const T>, nested tables, and Json itself for documents passed through.

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/error.hpp"
#include "agent/base/json_fields.hpp"
#include "agent/base/secret.hpp"
#include "agent/base/strings.hpp"

namespace nodeagent {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

/// Parses a whole document; Malformed with the byte offset otherwise. Depth is limited to 200 levels.
[[nodiscard]] Result<Json> parse_json(std::string_view text);
/// Compact text; invalid UTF-8 in strings becomes U+FFFD instead of an exception.
[[nodiscard]] std::string dump_json(const Json& document);
[[nodiscard]] std::string dump_json(const OrderedJson& document);

namespace json_detail {

template <class T>
concept Table = requires {
    T::json_fields();
};

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class T>
struct is_map<std::map<std::string, T>> : std::true_type {};
template <class T>
struct is_shared : std::false_type {};
template <class T>
struct is_shared<std::shared_ptr<const T>> : std::true_type {};

[[nodiscard]] Error mismatch(const std::string& path, std::string_view expected, const Json& found);
[[nodiscard]] Error out_of_range(const std::string& path, const Json& found);
/// The member called `name`, exact case first; nullptr when absent or null.
[[nodiscard]] const Json* member(const Json& object, std::string_view name);

template <class T>
Result<void> decode_into(T& out, const Json& in, const std::string& path);

template <Table T>
Result<void> decode_table(T& out, const Json& in, const std::string& path) {
    if (!in.is_object()) return mismatch(path, "an object", in);
    Result<void> outcome;
    const auto one = [&](const auto& field) {
        const std::string at = path.empty() ? std::string(field.name) : path + "." + std::string(field.name);
        const Json* value = member(in, field.name);
        if (value == nullptr) {
            if (field.presence == Presence::Required) {
                outcome = Error{.kind = ErrorKind::Malformed, .what = at + ": required, but missing"};
                return false;
            }
            return true;
        }
        outcome = decode_into(out.*(field.member), *value, at);
        return outcome.has_value();
    };
    std::apply([&](const auto&... fields) { (void)(one(fields) && ...); }, T::json_fields());
    return outcome;
}

template <class T>
Result<void> decode_into(T& out, const Json& in, const std::string& path) {
    if constexpr (std::same_as<T, Json>) {
        out = in;
    } else if constexpr (is_optional<T>::value) {
        typename T::value_type value{};
        if (auto r = decode_into(value, in, path); !r) return r;
        out = std::move(value);
    } else if constexpr (is_shared<T>::value) {
        auto value = std::make_shared<std::remove_const_t<typename T::element_type>>();
        if (auto r = decode_into(*value, in, path); !r) return r;
        out = std::move(value);
    } else if constexpr (std::same_as<T, bool>) {
        if (!in.is_boolean()) return mismatch(path, "a boolean", in);
        out = in.get<bool>();
    } else if constexpr (std::integral<T>) {
        if (!in.is_number_integer()) return mismatch(path, "an integer", in);
        if (in.is_number_unsigned()) {
            const auto value = in.get<std::uint64_t>();
            if (value > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return out_of_range(path, in);
            out = static_cast<T>(value);
        } else {
            const auto value = in.get<std::int64_t>();
            if (!std::in_range<T>(value)) return out_of_range(path, in);
            out = static_cast<T>(value);
        }
    } else if constexpr (std::floating_point<T>) {
        if (!in.is_number()) return mismatch(path, "a number", in);
        out = in.get<T>();
    } else if constexpr (std::same_as<T, std::string>) {
        if (!in.is_string()) return mismatch(path, "a string", in);
        out = in.get_ref<const std::string&>();
    } else if constexpr (std::same_as<T, Secret>) {
        if (!in.is_string()) return mismatch(path, "a string", in);
        out = Secret(in.get<std::string>());
    } else if constexpr (is_vector<T>::value) {
        if (!in.is_array()) return mismatch(path, "a list", in);
        out.clear();
        out.reserve(in.size());
        for (std::size_t i = 0; i < in.size(); ++i) {
            typename T::value_type item{};
            if (!in[i].is_null()) {
                if (auto r = decode_into(item, in[i], path + "[" + std::to_string(i) + "]"); !r) return r;
            }
            out.push_back(std::move(item));
        }
    } else if constexpr (is_map<T>::value) {
        if (!in.is_object()) return mismatch(path, "an object", in);
        out.clear();
        for (const auto& [key, item] : in.items()) {
            typename T::mapped_type value{};
            if (!item.is_null()) {
                if (auto r = decode_into(value, item, path + "." + key); !r) return r;
            }
            out.emplace(key, std::move(value));
        }
    } else {
        static_assert(Table<T>, "give the type a json_fields() table");
        return decode_table(out, in, path);
    }
    return {};
}

template <class T>
bool is_empty(const T& value) {
    if constexpr (is_optional<T>::value) {
        return !value.has_value();
    } else if constexpr (is_shared<T>::value) {
        return value == nullptr;
    } else if constexpr (std::same_as<T, Json>) {
        return value.is_null();
    } else if constexpr (std::is_arithmetic_v<T>) {
        return value == T{};
    } else if constexpr (Table<T>) {
        return false;
    } else {
        return value.empty();
    }
}

template <class T>
OrderedJson encode_value(const T& value) {
    if constexpr (std::same_as<T, Json>) {
        return OrderedJson(value);
    } else if constexpr (is_optional<T>::value || is_shared<T>::value) {
        return value ? encode_value(*value) : OrderedJson(nullptr);
    } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
        return OrderedJson(value);
    } else if constexpr (std::same_as<T, Secret>) {
        return OrderedJson(value.reveal());
    } else if constexpr (is_vector<T>::value) {
        OrderedJson out = OrderedJson::array();
        for (const auto& item : value) out.push_back(encode_value(item));
        return out;
    } else if constexpr (is_map<T>::value) {
        OrderedJson out = OrderedJson::object();
        for (const auto& [key, item] : value) out[key] = encode_value(item);
        return out;
    } else {
        OrderedJson out = OrderedJson::object();
        const auto one = [&](const auto& field) {
            const auto& item = value.*(field.member);
            if (field.presence == Presence::Optional && is_empty(item)) return;
            out[std::string(field.name)] = encode_value(item);
        };
        std::apply([&](const auto&... fields) { (one(fields), ...); }, T::json_fields());
        return out;
    }
}

}  // namespace json_detail

template <class T>
[[nodiscard]] Result<T> decode_document(const Json& document, const std::string& path = {}) {
    T out{};
    if (auto r = json_detail::decode_into(out, document, path); !r) return std::move(r).error();
    return out;
}

template <class T>
[[nodiscard]] Result<T> decode(std::string_view text) {
    auto document = parse_json(text);
    if (!document) return std::move(document).error();
    return decode_document<T>(*document);
}

template <class T>
[[nodiscard]] OrderedJson to_json_document(const T& value) {
    return json_detail::encode_value(value);
}

template <class T>
[[nodiscard]] std::string encode(const T& value) {
    return dump_json(json_detail::encode_value(value));
}

}  // namespace nodeagent
