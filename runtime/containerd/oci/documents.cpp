#include "runtime/containerd/oci/documents.hpp"

#include <limits>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd::oci {

const Json* member_of(const Json& document, std::string_view name) {
    if (!document.is_object()) return nullptr;
    const auto found = document.find(name);
    return found == document.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const Json& document, std::string_view name) {
    const Json* member = member_of(document, name);
    return member != nullptr && member->is_string() ? member->get<std::string>() : std::string();
}

bool flag_of(const Json& document, std::string_view name) {
    const Json* member = member_of(document, name);
    return member != nullptr && member->is_boolean() && member->get<bool>();
}

std::optional<std::int64_t> integer_of(const Json& document, std::string_view name) {
    const Json* member = member_of(document, name);
    if (member == nullptr || !member->is_number_integer()) return std::nullopt;
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    if (member->is_number_unsigned() && member->get<std::uint64_t>() > static_cast<std::uint64_t>(kMost)) return kMost;
    return member->get<std::int64_t>();
}

std::int64_t integer_or_zero(const Json& document, std::string_view name) {
    return integer_of(document, name).value_or(0);
}

std::vector<std::string> texts_of(const Json& document, std::string_view name) {
    std::vector<std::string> texts;
    const Json* member = member_of(document, name);
    if (member == nullptr) return texts;
    if (member->is_string()) texts.push_back(member->get<std::string>());
    if (!member->is_array()) return texts;
    for (const Json& item : *member) {
        if (item.is_string()) texts.push_back(item.get<std::string>());
    }
    return texts;
}

std::vector<const Json*> objects_of(const Json& document, std::string_view name) {
    std::vector<const Json*> objects;
    const Json* member = member_of(document, name);
    if (member == nullptr || !member->is_array()) return objects;
    for (const Json& item : *member) {
        if (item.is_object()) objects.push_back(&item);
    }
    return objects;
}

std::vector<std::pair<std::string, std::string>> text_map_of(const Json& document, std::string_view name) {
    std::vector<std::pair<std::string, std::string>> texts;
    const Json* member = member_of(document, name);
    if (member == nullptr || !member->is_object()) return texts;
    for (const auto& [key, value] : member->items()) {
        if (value.is_string()) texts.emplace_back(key, value.get<std::string>());
    }
    return texts;
}

std::string in_quotes(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string clean_path(std::string_view path) {
    const bool rooted = path.starts_with('/');
    std::vector<std::string_view> parts;
    for (const std::string_view part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            parts.push_back(part);
        } else if (!parts.empty() && parts.back() != "..") {
            parts.pop_back();
        } else if (!rooted) {
            parts.push_back(part);
        }
    }
    std::string out;
    for (const std::string_view part : parts) {
        if (!out.empty() || rooted) out += '/';
        out += part;
    }
    if (out.empty()) return rooted ? "/" : ".";
    return out;
}

}  // namespace nodeagent::runtime::containerd::oci
