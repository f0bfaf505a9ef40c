#include "runtime/registry/reference.hpp"

#include <algorithm>

namespace nodeagent::runtime::registry {

namespace {

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kOldHub = "index.docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestTag = 128;

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word(char c) { return is_lower_or_digit(c) || is_upper(c) || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// a-z0-9 in runs, with one '.', one or two '_', or any number of '-' between them.
bool is_path_component(std::string_view part) {
    std::size_t at = 0;
    while (at < part.size()) {
        const std::size_t run = at;
        while (at < part.size() && is_lower_or_digit(part[at])) ++at;
        if (at == run) return false;
        if (at == part.size()) return true;
        const char separator = part[at];
        const std::size_t begin = at;
        while (at < part.size() && part[at] == separator) ++at;
        const std::size_t count = at - begin;
        if (separator == '-') continue;
        if (separator == '.' && count == 1) continue;
        if (separator == '_' && count <= 2) continue;
        return false;
    }
    return false;  // empty, or it ends with a separator
}

bool is_path(std::string_view path) {
    for (;;) {
        const std::size_t slash = path.find('/');
        if (!is_path_component(path.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        path.remove_prefix(slash + 1);
    }
}

bool is_host(std::string_view host) {
    std::string_view name = host;
    if (name.starts_with('[')) {
        const std::size_t end = name.find(']');
        if (end == std::string_view::npos || end == 1) return false;
        const std::string_view address = name.substr(1, end - 1);
        if (address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
        name.remove_prefix(end + 1);
        if (name.empty()) return true;
        if (!name.starts_with(':')) return false;
        name.remove_prefix(1);
        return !name.empty() && name.size() <= 5 && std::all_of(name.begin(), name.end(), is_digit);
    }
    if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
        const std::string_view port = name.substr(colon + 1);
        if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return false;
        name = name.substr(0, colon);
    }
    for (;;) {
        const std::size_t dot = name.find('.');
        const std::string_view label = name.substr(0, dot);
        if (label.empty() || label.front() == '-' || label.back() == '-') return false;
        if (!std::all_of(label.begin(), label.end(), [](char c) { return (is_word(c) && c != '_') || c == '-'; })) {
            return false;
        }
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

bool is_tag(std::string_view tag) {
    if (tag.empty() || tag.size() > kLongestTag || !is_word(tag.front())) return false;
    return std::all_of(tag.begin(), tag.end(), [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

Error invalid(std::string_view why = {}) {
    return {.kind = ErrorKind::Malformed, .what = "invalid reference format" + std::string(why)};
}

}  // namespace

std::string Reference::familiar() const {
    if (host != kHub) return repository();
    const std::string_view name = path;
    if (name.starts_with(kOfficial) && name.find('/', kOfficial.size()) == std::string_view::npos) {
        return std::string(name.substr(kOfficial.size()));
    }
    return path;
}

bool is_digest(std::string_view text) {
    constexpr std::string_view kAlgorithm = "sha256:";
    if (!text.starts_with(kAlgorithm) || text.size() != kAlgorithm.size() + 64) return false;
    text.remove_prefix(kAlgorithm.size());
    return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

Result<Reference> parse_reference(std::string_view text) {
    if (text.size() == 64 && is_digest("sha256:" + std::string(text))) {
        return Error{
            .kind = ErrorKind::Malformed,
            .what = "invalid repository name (" + std::string(text) + "), cannot specify 64-byte hexadecimal strings"};
    }
    Reference out;
    std::string_view name = text;
    if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
        out.digest = std::string(name.substr(at + 1));
        if (!is_digest(out.digest)) return invalid();
        name = name.substr(0, at);
    }
    const std::size_t first_slash = name.find('/');
    const std::string_view first = name.substr(0, first_slash);
    const bool has_host = first_slash != std::string_view::npos &&
                          (first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
                           std::any_of(first.begin(), first.end(), is_upper));
    if (has_host) {
        out.host = first == kOldHub ? std::string(kHub) : std::string(first);
        name.remove_prefix(first_slash + 1);
        if (!is_host(out.host)) return invalid();
    } else {
        out.host = kHub;
    }
    const std::size_t colon = name.rfind(':');
    if (colon != std::string_view::npos && name.find('/', colon) == std::string_view::npos) {
        out.tag = std::string(name.substr(colon + 1));
        if (!is_tag(out.tag)) return invalid();
        name = name.substr(0, colon);
    } else if (out.digest.empty()) {
        out.tag = "latest";
    }
    if (std::any_of(name.begin(), name.end(), is_upper)) return invalid(": repository name must be lowercase");
    if (!is_path(name)) return invalid();
    out.path = std::string(name);
    if (out.host == kHub && out.path.find('/') == std::string::npos) out.path.insert(0, kOfficial);
    if (out.repository().size() > kLongestName) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = "repository name must not be more than " + std::to_string(kLongestName) + " characters"};
    }
    return out;
}

}  // namespace nodeagent::runtime::registry
