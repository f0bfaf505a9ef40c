#include "metadata/url_path.hpp"

#include <vector>

#include "agent/base/strings.hpp"

namespace nodeagent::metadata {

std::optional<Target> parse_target(std::string_view target) {
    for (const char c : target) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) return std::nullopt;
    }
    if (!target.starts_with('/')) {
        const std::size_t scheme = target.find("://");
        if (scheme == std::string_view::npos || scheme == 0) return std::nullopt;
        target.remove_prefix(scheme + 3);
        const std::size_t authority = target.find_first_of("/?");
        target.remove_prefix(authority == std::string_view::npos ? target.size() : authority);
    }
    Target parsed;
    const std::size_t question = target.find('?');
    if (question != std::string_view::npos) {
        parsed.has_query = true;
        parsed.query = target.substr(question + 1);
        target = target.substr(0, question);
    }
    if (target.find('%') == std::string_view::npos) {
        parsed.path = target;
        return parsed;
    }
    auto decoded = percent_decode(target);
    if (!decoded) return std::nullopt;
    parsed.path = std::move(*decoded);
    return parsed;
}

bool is_clean_path(std::string_view path) {
    if (!path.starts_with('/')) return false;
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t start = at + 1;
        const std::size_t end = std::min(path.find('/', start), path.size());
        const std::string_view part = path.substr(start, end - start);
        const bool last = end == path.size();
        if ((part.empty() && !last) || part == "." || part == "..") return false;
        at = end;
    }
    return true;
}

std::string clean_path(std::string_view path) {
    std::vector<std::string_view> kept;
    for (const std::string_view part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            if (!kept.empty()) kept.pop_back();
        } else {
            kept.push_back(part);
        }
    }
    std::string clean;
    for (const std::string_view part : kept) clean.append("/").append(part);
    if (clean.empty() || path.ends_with('/')) clean += '/';
    return clean;
}

std::string escape_path(std::string_view path) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view kept = "-_.~$&+,/:;=@";
    std::string out;
    for (const char c : path) {
        const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                           kept.find(c) != std::string_view::npos;
        if (plain) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

}  // namespace nodeagent::metadata
