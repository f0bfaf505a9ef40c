#include "runtime/containerd/images/tar_reader.hpp"

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/base/strings.hpp"

namespace nodeagent::runtime::containerd {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMostEntries = 10000;
constexpr std::size_t kLongestName = 4096;
constexpr std::size_t kLongestExtension = std::size_t{64} << 10U;
constexpr int kMostLinks = 8;

Error no_archive(const std::string& why) {
    return {.kind = ErrorKind::Malformed, .what = "the image archive cannot be read: " + why};
}

std::string_view text_field(std::string_view header, std::size_t at, std::size_t width) {
    const std::string_view field = header.substr(at, width);
    return field.substr(0, field.find('\0'));
}

/// Octal digits; or, for large numbers, GNU's binary form.
std::optional<std::uint64_t> number_field(std::string_view header, std::size_t at, std::size_t width) {
    std::string_view field = header.substr(at, width);
    std::uint64_t value = 0;
    if ((static_cast<unsigned char>(field.front()) & 0x80U) != 0) {
        for (std::size_t i = 0; i < width; ++i) {
            if (value >> 55U != 0) return std::nullopt;
            const auto byte = static_cast<unsigned char>(field[i]);
            value = (value << 8U) | (i == 0 ? byte & 0x7fU : byte);
        }
        return value;
    }
    field = trimmed(field.substr(0, field.find('\0')));
    for (const char digit : field) {
        if (digit < '0' || digit > '7' || value >> 60U != 0) return std::nullopt;
        value = (value << 3U) | static_cast<std::uint64_t>(digit - '0');
    }
    return value;
}

bool checksum_is_right(std::string_view header) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
        sum += i >= 148 && i < 156 ? std::uint64_t{' '} : static_cast<unsigned char>(header[i]);
    }
    return number_field(header, 148, 8) == sum;
}

/// "a/./b/../c" -> "a/c"; nothing when it leads out of the archive.
std::optional<std::string> clean(std::string_view folder, std::string_view name) {
    std::vector<std::string> parts;
    for (const std::string_view text : {folder, name}) {
        for (const std::string_view part : split(text, '/')) {
            if (part.empty() || part == ".") continue;
            if (part == "..") {
                if (parts.empty()) return std::nullopt;
                parts.pop_back();
                continue;
            }
            parts.emplace_back(part);
        }
    }
    return join(parts, "/");
}

struct Extension {
    std::optional<std::string> path, link;
    std::optional<std::uint64_t> size;
};

/// Records "<length> <key>=<value>\n".
bool read_pax(std::string_view records, Extension& out) {
    while (!records.empty()) {
        const std::size_t space = records.find(' ');
        if (space == std::string_view::npos) return false;
        const auto length = parse_integer(records.substr(0, space));
        if (!length || *length <= static_cast<long long>(space) + 1 ||
            *length > static_cast<long long>(records.size())) {
            return false;
        }
        std::string_view record = records.substr(space + 1, static_cast<std::size_t>(*length) - space - 1);
        records.remove_prefix(static_cast<std::size_t>(*length));
        if (!record.ends_with('\n')) return false;
        record.remove_suffix(1);
        const std::size_t equals = record.find('=');
        if (equals == std::string_view::npos) return false;
        const std::string_view key = record.substr(0, equals);
        const std::string_view value = record.substr(equals + 1);
        if (key == "path") out.path = std::string(value);
        if (key == "linkpath") out.link = std::string(value);
        if (key == "size") {
            const auto size = parse_integer(value);
            if (!size || *size < 0) return false;
            out.size = static_cast<std::uint64_t>(*size);
        }
    }
    return true;
}

}  // namespace

Result<std::map<std::string, TarFile>> read_tar(std::string_view archive) {
    std::map<std::string, TarFile> files;
    Extension next;
    std::size_t entries = 0;
    std::size_t at = 0;
    for (;;) {
        if (archive.size() - at < kBlock) return no_archive("unexpected EOF");
        const std::string_view header = archive.substr(at, kBlock);
        at += kBlock;
        if (header.find_first_not_of('\0') == std::string_view::npos) return files;
        if (!checksum_is_right(header)) return no_archive("invalid tar header");
        if (++entries > kMostEntries)
            return no_archive("it has more than " + std::to_string(kMostEntries) + " entries");
        const auto told = number_field(header, 124, 12);
        if (!told) return no_archive("invalid size");
        const char type = header[156];
        const bool extension = type == 'x' || type == 'L' || type == 'K' || type == 'g';
        const std::uint64_t size = extension ? *told : next.size.value_or(*told);
        if (size > archive.size() - at) return no_archive("unexpected EOF");
        const std::string_view content = archive.substr(at, static_cast<std::size_t>(size));
        const std::size_t whole = (static_cast<std::size_t>(size) + kBlock - 1) / kBlock * kBlock;
        at = whole > archive.size() - at ? archive.size() : at + whole;
        if (extension) {
            if (size > kLongestExtension) return no_archive("a name is too long");
            if (type == 'L') next.path = std::string(content.substr(0, content.find('\0')));
            if (type == 'K') next.link = std::string(content.substr(0, content.find('\0')));
            if (type == 'x' && !read_pax(content, next)) return no_archive("invalid tar header");
            continue;
        }
        std::string name(text_field(header, 0, 100));
        if (header.substr(257, 5) == "ustar" && header[262] == '\0') {
            const std::string_view prefix = text_field(header, 345, 155);
            if (!prefix.empty()) name = std::string(prefix) + "/" + name;
        }
        if (next.path) name = *next.path;
        const std::string link = next.link ? *next.link : std::string(text_field(header, 157, 100));
        next = {};
        const bool file = type == '0' || type == '\0' || type == '7';
        const bool hard = type == '1';
        const bool symbolic = type == '2';
        if (!file && !hard && !symbolic) continue;
        if (name.size() > kLongestName || link.size() > kLongestName) return no_archive("a name is too long");
        const auto path = clean({}, name);
        if (!path || path->empty()) return no_archive("invalid path");
        TarFile entry;
        if (file) {
            entry.content = content;
        } else {
            const std::size_t slash = path->rfind('/');
            const std::string folder = symbolic && slash != std::string::npos ? path->substr(0, slash) : std::string();
            const auto target = link.starts_with('/') ? std::nullopt : clean(folder, link);
            if (!target || target->empty()) return no_archive("a link leads out of it");
            entry.link = *target;
        }
        files[*path] = std::move(entry);
    }
}

Result<std::string_view> content_of(const std::map<std::string, TarFile>& files, const std::string& name) {
    std::string path = clean({}, name).value_or("");
    for (int links = 0; links < kMostLinks; ++links) {
        const auto found = files.find(path);
        if (found == files.end()) break;
        if (found->second.link.empty()) return found->second.content;
        path = found->second.link;
    }
    return Error{.kind = ErrorKind::NotFound, .what = "the image archive has no file " + name};
}

}  // namespace nodeagent::runtime::containerd
