#include "agent/credentials/profile.hpp"

#include "agent/base/strings.hpp"

namespace nodeagent::credentials {

namespace {

bool is_section_of(std::string_view section, std::string_view name, ProfileFile kind) {
    section = trimmed(section);
    if (kind == ProfileFile::Credentials || name == "default") {
        if (section == name) return true;
        if (kind == ProfileFile::Credentials) return false;
    }
    constexpr std::string_view kPrefix = "profile";
    if (!section.starts_with(kPrefix) || section.size() == kPrefix.size()) return false;
    const char separator = section[kPrefix.size()];
    return (separator == ' ' || separator == '\t') && trimmed(section.substr(kPrefix.size())) == name;
}

// " # text" and " ; text" end a value; a '#' inside a word belongs to it, as secrets may have one.
std::string_view without_comment(std::string_view value) {
    for (std::size_t i = 1; i < value.size(); ++i) {
        const bool after_space = value[i - 1] == ' ' || value[i - 1] == '\t';
        if (after_space && (value[i] == '#' || value[i] == ';')) return trimmed(value.substr(0, i));
    }
    return value;
}

}  // namespace

std::optional<Profile> find_profile(std::string_view text, std::string_view name, ProfileFile kind) {
    std::optional<Profile> found;
    bool inside = false;
    for (const std::string_view raw : split(text, '\n')) {
        const std::string_view line = trimmed(raw);
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.front() == '[') {
            const std::size_t end = line.find(']');
            inside = end != std::string_view::npos && is_section_of(line.substr(1, end - 1), name, kind);
            if (inside && !found) found.emplace();
            continue;
        }
        // An indented line belongs to the nested block ("s3 =") before it.
        if (!inside || raw.front() == ' ' || raw.front() == '\t') continue;
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || equals == 0) continue;
        (*found)[lower(trimmed(line.substr(0, equals)))] = without_comment(trimmed(line.substr(equals + 1)));
    }
    return found;
}

}  // namespace nodeagent::credentials
